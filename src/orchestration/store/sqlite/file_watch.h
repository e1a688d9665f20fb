#pragma once

#include <functional>
#include <string>
#include <thread>

namespace mutirao::orchestration {

/// Tell when a database file, or the journal beside it, is written to, by whatever process of this machine.
///
/// Threads: one of its own, which sleeps in the kernel till then and calls `changed`, at most fifty times a second.
/// Where the kernel has no watches left, or does not see all writers (network file systems), those who wait must look
/// by themselves from time to time.
class FileWatch {
 public:
  FileWatch(const std::string& path, std::function<void()> changed);
  ~FileWatch();
  FileWatch(const FileWatch&) = delete;
  FileWatch& operator=(const FileWatch&) = delete;

 private:
  void Run(const std::string& name, const std::function<void()>& changed) const;

  int inotify_ = -1;
  int stop_ = -1;
  std::thread thread_;
};

}  // namespace mutirao::orchestration
