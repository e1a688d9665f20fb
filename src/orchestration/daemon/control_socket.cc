#include "orchestration/daemon/control_socket.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstring>

#include <fmt/format.h>

#include "base/log.h"

namespace mutirao::orchestration {
namespace {

constexpr const char* kSocketName = "server.sock";
constexpr size_t kMostConnections = 64;
constexpr int kIdleSeconds = 60;

class Fd {
 public:
  explicit Fd(int fd) : fd_(fd) {}
  ~Fd() {
    if (fd_ >= 0) close(fd_);
  }
  Fd(const Fd&) = delete;
  Fd& operator=(const Fd&) = delete;
  int get() const { return fd_; }
  int release() { return std::exchange(fd_, -1); }

 private:
  int fd_;
};

Status IoError(std::string_view what, const std::string& path) {
  return Status::Io(fmt::format("{} {}: {}", what, path, std::strerror(errno)));
}

// An address holds 107 bytes and folders can be deeper: go by the open folder.
sockaddr_un AddressIn(const Fd& folder) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  const std::string path = fmt::format("/proc/self/fd/{}/{}", folder.get(), kSocketName);
  std::memcpy(address.sun_path, path.c_str(), path.size() + 1);
  return address;
}

bool SendAll(int fd, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t sent = send(fd, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent < 0 && errno == EINTR) continue;
    if (sent <= 0) return false;
    bytes.remove_prefix(static_cast<size_t>(sent));
  }
  return true;
}

enum class LineEnd { kLine, kClosed, kTooLong };

// Reads up to a line end; what follows it stays in `buffer`.
LineEnd ReadLine(int fd, std::string& buffer, std::string& line) {
  size_t looked = 0;
  while (true) {
    if (const size_t end = buffer.find('\n', looked); end != std::string::npos) {
      line = buffer.substr(0, end);
      buffer.erase(0, end + 1);
      return LineEnd::kLine;
    }
    looked = buffer.size();
    if (looked > kLongestControlLine) return LineEnd::kTooLong;
    char bytes[16384];
    const ssize_t got = recv(fd, bytes, sizeof bytes, 0);
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) return LineEnd::kClosed;
    buffer.append(bytes, static_cast<size_t>(got));
  }
}

void SetTimeouts(int fd, std::chrono::milliseconds timeout) {
  const timeval time{.tv_sec = timeout.count() / 1000, .tv_usec = timeout.count() % 1000 * 1000};
  setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &time, sizeof time);
  setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &time, sizeof time);
}

// The folder keeps others out already; this holds where somebody has opened it.
bool IsOurs(int fd) {
  ucred peer{};
  socklen_t size = sizeof peer;
  if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) != 0) return false;
  return peer.uid == geteuid() || peer.uid == 0;
}

}  // namespace

Result<std::unique_ptr<ControlListener>> ControlListener::Start(const std::string& folder, ControlHandler handler) {
  std::unique_ptr<ControlListener> listener(new ControlListener(folder, std::move(handler)));
  const Fd at(open(folder.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
  if (at.get() < 0) return IoError("cannot open", folder);
  Fd fd(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (fd.get() < 0) return IoError("cannot make a socket in", folder);
  unlinkat(at.get(), kSocketName, 0);
  fchmod(fd.get(), 0600);  // before bind: the file is never there with other rights
  const sockaddr_un address = AddressIn(at);
  if (bind(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0 ||
      fchmodat(at.get(), kSocketName, 0600, 0) != 0 || listen(fd.get(), 64) != 0) {
    return IoError("cannot listen at", folder + "/" + kSocketName);
  }
  listener->listener_ = fd.release();
  listener->end_ = eventfd(0, EFD_CLOEXEC);
  listener->thread_ = std::thread([self = listener.get()] { self->Accept(); });
  return listener;
}

ControlListener::~ControlListener() {
  if (thread_.joinable()) {
    eventfd_write(end_, 1);
    thread_.join();
  }
  {
    const std::lock_guard lock(mutex_);
    for (Connection& connection : connections_) shutdown(connection.fd, SHUT_RD);
  }
  Reap(true);
  if (listener_ >= 0) {
    close(listener_);
    unlink((folder_ + "/" + kSocketName).c_str());
  }
  if (end_ >= 0) close(end_);
}

void ControlListener::Accept() {
  while (true) {
    pollfd fds[2] = {{listener_, POLLIN, 0}, {end_, POLLIN, 0}};
    if (poll(fds, 2, -1) < 0 && errno != EINTR) return;
    if (fds[1].revents != 0) return;
    Reap(false);
    if ((fds[0].revents & POLLIN) == 0) continue;
    const int fd = accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
    if (fd < 0) {
      // Out of descriptors: the call waits in the backlog until some are free.
      if (errno == EMFILE || errno == ENFILE) std::this_thread::sleep_for(std::chrono::milliseconds(100));
      continue;
    }
    const std::lock_guard lock(mutex_);
    if (connections_.size() >= kMostConnections || !IsOurs(fd)) {
      close(fd);
      continue;
    }
    SetTimeouts(fd, std::chrono::seconds(kIdleSeconds));
    Connection& connection = connections_.emplace_back();
    connection.fd = fd;
    connection.thread = std::thread([this, &connection] { Serve(connection); });
  }
}

void ControlListener::Serve(Connection& connection) {
  std::string buffer, line;
  while (true) {
    const LineEnd end = ReadLine(connection.fd, buffer, line);
    if (end == LineEnd::kTooLong) {
      SendAll(connection.fd, EncodeAnswer(nullptr, Status::Invalid("the line of this call is too long")));
    }
    if (end != LineEnd::kLine) break;
    Result<ControlCall> call = DecodeCall(line);
    const std::string answer = call.ok() ? EncodeAnswer(call->id, handler_(*call))
                                         : EncodeAnswer(nullptr, Status(call.status()).Context("reading a call"));
    if (!SendAll(connection.fd, answer)) break;
  }
  shutdown(connection.fd, SHUT_RDWR);
  const std::lock_guard lock(mutex_);
  connection.done = true;
}

void ControlListener::Reap(bool all) {
  std::list<Connection> ended;
  {
    const std::lock_guard lock(mutex_);
    for (auto at = connections_.begin(); at != connections_.end();) {
      const auto next = std::next(at);
      if (all || at->done) ended.splice(ended.end(), connections_, at);
      at = next;
    }
  }
  for (Connection& connection : ended) {
    connection.thread.join();
    close(connection.fd);
  }
}

Result<Json> CallServer(const std::string& folder, const std::string& method, const Json& params,
                        std::chrono::milliseconds timeout) {
  const auto nobody = [] {
    return Status::Unavailable("no server runs for this project").Help("start one with `mutirao serve`");
  };
  const Fd at(open(folder.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
  if (at.get() < 0) return nobody();
  const Fd fd(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (fd.get() < 0) return IoError("cannot make a socket for", folder);
  SetTimeouts(fd.get(), timeout);
  const sockaddr_un address = AddressIn(at);
  if (connect(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
    if (errno == ENOENT || errno == ECONNREFUSED) return nobody();
    return IoError("cannot reach the server at", folder + "/" + kSocketName);
  }
  std::string buffer, line;
  if (!SendAll(fd.get(), EncodeCall({.id = 1, .method = method, .params = params})) ||
      ReadLine(fd.get(), buffer, line) != LineEnd::kLine) {
    return Status::Unavailable("the server did not answer: it is ending, or busy beyond measure")
        .Help("whether the call had its effect is not known: look before you repeat it");
  }
  return DecodeAnswer(line);
}

}  // namespace mutirao::orchestration
