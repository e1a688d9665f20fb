#include "orchestration/store/sqlite/file_watch.h"

#include <poll.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <filesystem>
#include <string_view>

namespace mutirao::orchestration {
namespace {

// Read what the kernel tells and say whether some of it is about files whose names begin so.
bool ReadNotices(int inotify, std::string_view name) {
  alignas(inotify_event) std::array<char, 16 * 1024> buffer;
  bool about = false;
  ssize_t got = 0;
  while ((got = read(inotify, buffer.data(), buffer.size())) > 0) {
    for (ssize_t at = 0; at < got;) {
      const auto* notice = reinterpret_cast<const inotify_event*>(buffer.data() + at);
      about = about || (notice->mask & IN_Q_OVERFLOW) != 0 ||
              (notice->len > 0 && std::string_view(notice->name).starts_with(name));
      at += static_cast<ssize_t>(sizeof(inotify_event) + notice->len);
    }
  }
  return about;
}

}  // namespace

FileWatch::FileWatch(const std::string& path, std::function<void()> changed) {
  const std::filesystem::path file(path);
  inotify_ = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
  stop_ = eventfd(0, EFD_CLOEXEC);
  const bool watching =
      inotify_ >= 0 && stop_ >= 0 && inotify_add_watch(inotify_, file.parent_path().c_str(), IN_MODIFY) >= 0;
  if (!watching) return;
  thread_ = std::thread([this, name = file.filename().string(), changed = std::move(changed)] { Run(name, changed); });
}

FileWatch::~FileWatch() {
  if (thread_.joinable()) {
    eventfd_write(stop_, 1);
    thread_.join();
  }
  if (inotify_ >= 0) close(inotify_);
  if (stop_ >= 0) close(stop_);
}

void FileWatch::Run(const std::string& name, const std::function<void()>& changed) const {
  constexpr std::chrono::milliseconds kAtOnce{20};
  std::array<pollfd, 2> fds{pollfd{inotify_, POLLIN, 0}, pollfd{stop_, POLLIN, 0}};
  while (true) {
    if (poll(fds.data(), fds.size(), -1) < 0) continue;
    if (fds[1].revents != 0) return;
    if (!ReadNotices(inotify_, name)) continue;
    changed();
    // A commit writes several times; all that comes meanwhile is one change.
    if (poll(&fds[1], 1, static_cast<int>(kAtOnce.count())) > 0) return;
  }
}

}  // namespace mutirao::orchestration
