#include "orchestration/store/contract/lossy_proxy.h"

#include <arpa/inet.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <cstring>
#include <string_view>

#include <mutirao/status.h>

namespace mutirao::orchestration {
namespace {

int ConnectTo(const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::strncpy(address.sun_path, path.c_str(), sizeof address.sun_path - 1);
  const int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (connect(fd, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0) return fd;
  close(fd);
  return -1;
}

bool SendAll(int fd, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t sent = send(fd, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent <= 0) return false;
    bytes.remove_prefix(static_cast<size_t>(sent));
  }
  return true;
}

}  // namespace

LossyProxy::LossyProxy(std::string server, int every) : server_(std::move(server)), every_(every) {
  listener_ = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  MUTIRAO_CHECK(bind(listener_, reinterpret_cast<sockaddr*>(&address), size) == 0 && listen(listener_, 16) == 0);
  MUTIRAO_CHECK(getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &size) == 0);
  port_ = ntohs(address.sin_port);
  accepting_ = std::thread([this] { Accept(); });
}

LossyProxy::~LossyProxy() {
  shutdown(listener_, SHUT_RDWR);
  accepting_.join();
  close(listener_);
  {
    std::lock_guard lock(mutex_);
    for (int fd : open_) shutdown(fd, SHUT_RDWR);
  }
  for (std::thread& thread : serving_) thread.join();
  for (int fd : open_) close(fd);
}

void LossyProxy::Accept() {
  while (true) {
    const int client = accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
    if (client < 0) return;
    std::lock_guard lock(mutex_);
    open_.push_back(client);
    serving_.emplace_back([this, client] { Serve(client); });
  }
}

void LossyProxy::Serve(int client) {
  const int server = ConnectTo(server_);
  if (server < 0) return static_cast<void>(shutdown(client, SHUT_RDWR));
  {
    std::lock_guard lock(mutex_);
    open_.push_back(server);
  }
  std::array<pollfd, 2> fds{pollfd{client, POLLIN, 0}, pollfd{server, POLLIN, 0}};
  std::array<char, 64 * 1024> buffer;
  bool lose = false;
  while (poll(fds.data(), fds.size(), -1) > 0) {
    const bool from_client = fds[0].revents != 0;
    const ssize_t got = read(from_client ? client : server, buffer.data(), buffer.size());
    if (got <= 0) break;
    const std::string_view bytes(buffer.data(), static_cast<size_t>(got));
    // A statement ends with a zero byte; none of ours holds this word otherwise.
    if (from_client && bytes.find(std::string_view("COMMIT\0", 7)) != std::string_view::npos) {
      lose = ++commits_ % every_ == 0;
    } else if (!from_client && lose) {
      ++lost_;
      break;
    }
    if (!SendAll(from_client ? server : client, bytes)) break;
  }
  shutdown(client, SHUT_RDWR);
  shutdown(server, SHUT_RDWR);
}

}  // namespace mutirao::orchestration
