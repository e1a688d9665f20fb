#include "orchestration/resource/readiness.h"

#include <arpa/inet.h>
#include <netdb.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <memory>

#include <fmt/format.h>

#include "net/http_client.h"

namespace mutirao::orchestration {
namespace {

using std::chrono::milliseconds;

constexpr int kConnectMs = 1000;

class Socket {
 public:
  explicit Socket(int fd) : fd_(fd) {}
  ~Socket() {
    if (fd_ >= 0) close(fd_);
  }
  Socket(Socket&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  Socket& operator=(Socket&&) = delete;
  int fd() const { return fd_; }
  bool ok() const { return fd_ >= 0; }

 private:
  int fd_;
};

bool WaitFor(int fd, short events, int timeout_ms) {
  pollfd poll_fd{fd, events, 0};
  int ready;
  do {
    ready = poll(&poll_fd, 1, timeout_ms);
  } while (ready < 0 && errno == EINTR);
  return ready > 0;
}

Socket ConnectTo(const std::string& host, const std::string& port) {
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  if (getaddrinfo(host.c_str(), port.c_str(), &hints, &found) != 0) return Socket(-1);
  std::unique_ptr<addrinfo, void (*)(addrinfo*)> addresses(found, freeaddrinfo);
  for (const addrinfo* at = found; at != nullptr; at = at->ai_next) {
    Socket socket(::socket(at->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    if (!socket.ok()) continue;
    if (connect(socket.fd(), at->ai_addr, at->ai_addrlen) == 0) return socket;
    if (errno != EINPROGRESS || !WaitFor(socket.fd(), POLLOUT, kConnectMs)) continue;
    int error = 0;
    socklen_t size = sizeof error;
    getsockopt(socket.fd(), SOL_SOCKET, SO_ERROR, &error, &size);
    if (error == 0) return socket;
  }
  return Socket(-1);
}

std::pair<std::string, std::string> SplitAddress(const std::string& address) {
  const size_t colon = address.rfind(':');
  if (colon == std::string::npos) return {"127.0.0.1", address};
  std::string host = address.substr(0, colon);
  if (host.starts_with('[') && host.ends_with(']')) host = host.substr(1, host.size() - 2);
  return {host.empty() ? "127.0.0.1" : host, address.substr(colon + 1)};
}

}  // namespace

bool AcceptsConnections(const std::string& address) {
  auto [host, port] = SplitAddress(address);
  return ConnectTo(host, port).ok();
}

bool AnswersHttp(const std::string& url) {
  const Result<net::HttpResponse> answer =
      net::SendHttp({.url = url, .connect_timeout = milliseconds(1000), .timeout = milliseconds(5000)});
  return answer.ok() && answer->status >= 100 && answer->status < 400;
}

Result<std::vector<int>> FindFreePorts(size_t count) {
  std::vector<Socket> held;  // until all are found, so that they differ
  std::vector<int> ports;
  for (size_t i = 0; i < count; ++i) {
    Socket socket(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    if (!socket.ok() || bind(socket.fd(), reinterpret_cast<sockaddr*>(&address), size) != 0 ||
        getsockname(socket.fd(), reinterpret_cast<sockaddr*>(&address), &size) != 0) {
      return Status::Exhausted(fmt::format("there is no free port: {}", strerror(errno)));
    }
    ports.push_back(ntohs(address.sin_port));
    held.push_back(std::move(socket));
  }
  return ports;
}

}  // namespace mutirao::orchestration
