#include "orchestration/store/postgres/notice_listener.h"

#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <array>

#include "orchestration/store/postgres/postgres_session.h"

namespace mutirao::orchestration {

NoticeListener::NoticeListener(std::string conninfo, std::function<void()> heard)
    : conninfo_(std::move(conninfo)), heard_(std::move(heard)), stop_(eventfd(0, EFD_CLOEXEC)) {
  // Without it nothing could end the thread; those who wait then look by themselves from time to time.
  if (stop_ >= 0) thread_ = std::thread([this] { Run(); });
}

NoticeListener::~NoticeListener() {
  if (!thread_.joinable()) return;
  eventfd_write(stop_, 1);
  thread_.join();
  close(stop_);
}

bool NoticeListener::WaitFor(int fd, int milliseconds) const {
  std::array<pollfd, 2> fds{pollfd{stop_, POLLIN, 0}, pollfd{fd, POLLIN, 0}};
  poll(fds.data(), fds.size(), milliseconds);
  return fds[0].revents != 0;
}

bool NoticeListener::ListenOnce() {
  Result<std::unique_ptr<PostgresSession>> session = PostgresSession::Connect(conninfo_);
  if (!session.ok()) return false;
  Result<SqlAnswer> listening = (*session)->Run(std::string("LISTEN ") + PostgresSession::kChannel);
  if (!listening.ok()) return false;
  heard_();
  while (!WaitFor((*session)->socket(), -1)) {
    Result<bool> notices = (*session)->TakeNotices();
    if (!notices.ok()) return true;
    if (*notices) heard_();
  }
  return true;
}

void NoticeListener::Run() {
  constexpr int kLongestPause = 5000;
  int pause = 50;
  while (true) {
    if (ListenOnce()) pause = 50;
    if (WaitFor(-1, pause)) return;
    pause = std::min(2 * pause, kLongestPause);
  }
}

}  // namespace mutirao::orchestration
