#pragma once

#include <functional>
#include <string>
#include <thread>

namespace mutirao::orchestration {

/// Listen on a connection of its own for what other processes announce, and call `heard` from its thread.
///
/// Threads: one of its own, which sleeps in the kernel. A connection that breaks is made again; `heard` is called then,
/// since something may have been missed.
class NoticeListener {
 public:
  NoticeListener(std::string conninfo, std::function<void()> heard);
  ~NoticeListener();
  NoticeListener(const NoticeListener&) = delete;
  NoticeListener& operator=(const NoticeListener&) = delete;

 private:
  void Run();
  /// Listen until the connection breaks or the end. Says whether it was up at all.
  bool ListenOnce();
  /// Sleep until `fd` (-1: none) can be read, a time passed (-1: never), or the end; says whether it is the end.
  bool WaitFor(int fd, int milliseconds) const;

  const std::string conninfo_;
  const std::function<void()> heard_;
  int stop_ = -1;
  std::thread thread_;
};

}  // namespace mutirao::orchestration
