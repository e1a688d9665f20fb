#pragma once

#include <functional>
#include <memory>
#include <string>
#include <thread>

#include <mutirao/status.h>

namespace mutirao::orchestration {

/// Answer GET /metrics over HTTP on a loopback address, one caller at a time.
///
/// Only loopback: there is no login, and metrics tell names and habits. Requests must name this address as their Host,
/// so that no web page can read them through a name that it controls.
class MetricsListener {
 public:
  /// `address` is "127.0.0.1:9187", "[::1]:9187" or with port 0 for any that is free; `text` gives the metrics.
  /// Errors: kInvalid for the address, kIo when it cannot be had.
  static Result<std::unique_ptr<MetricsListener>> Start(const std::string& address, std::function<std::string()> text);
  ~MetricsListener();

  /// As it came out: "127.0.0.1:9187".
  const std::string& address() const { return address_; }

 private:
  MetricsListener() = default;
  void Loop();
  void Answer(int connection);

  std::string address_;
  std::function<std::string()> text_;
  int listener_ = -1;
  int end_ = -1;
  std::thread thread_;
};

}  // namespace mutirao::orchestration
