#pragma once

#include <functional>
#include <list>
#include <memory>
#include <mutex>
#include <string>
#include <thread>

#include "orchestration/daemon/control_message.h"

namespace mutirao::orchestration {

/// Answer the calls of one server, whatever carries them.
using ControlHandler = std::function<Result<Json>(const ControlCall&)>;

/// Listen at a Unix socket that only this user may use, a thread for each connection.
///
/// Threads: the handler is called from several at a time. Stop before what the handler needs goes.
class ControlListener {
 public:
  /// `folder` is where the socket "server.sock" is made; one that a dead server left is replaced.
  /// Errors: kIo.
  static Result<std::unique_ptr<ControlListener>> Start(const std::string& folder, ControlHandler handler);
  /// Takes no more calls, waits for those being answered, removes the socket.
  ~ControlListener();

 private:
  struct Connection {
    int fd = -1;
    bool done = false;  // guarded by mutex_
    std::thread thread;
  };

  ControlListener(std::string folder, ControlHandler handler)
      : folder_(std::move(folder)), handler_(std::move(handler)) {}
  void Accept();
  void Serve(Connection& connection);
  void Reap(bool all);

  std::string folder_;
  ControlHandler handler_;
  int listener_ = -1;
  int end_ = -1;
  std::mutex mutex_;
  std::list<Connection> connections_;  // guarded by mutex_
  std::thread thread_;
};

/// Call the server of a project.
/// Errors: kUnavailable with help when none answers there; those of the call.
Result<Json> CallServer(const std::string& folder, const std::string& method, const Json& params,
                        std::chrono::milliseconds timeout = std::chrono::seconds(60));

}  // namespace mutirao::orchestration
