#include "orchestration/daemon/metrics_listener.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <charconv>
#include <cstring>

#include <fmt/format.h>

namespace mutirao::orchestration {
namespace {

constexpr size_t kLongestRequest = 8192;
constexpr int kPatienceMs = 5000;

struct Address {
  sockaddr_storage storage{};
  socklen_t size = 0;
};

Result<Address> ReadAddress(const std::string& text) {
  const auto wrong = [&](std::string_view why) {
    return Status::Invalid(fmt::format("\"{}\" is no address for metrics: {}", text, why))
        .Help("write 127.0.0.1:9187 or [::1]:9187");
  };
  const size_t colon = text.rfind(':');
  if (colon == std::string::npos) return wrong("it has no port");
  int port = -1;
  const char* end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data() + colon + 1, end, port);
  if (error != std::errc() || stop != end || port < 0 || port > 65535) return wrong("its port is no port");
  std::string host = text.substr(0, colon);
  if (host == "localhost") host = "127.0.0.1";
  Address address;
  auto* v4 = reinterpret_cast<sockaddr_in*>(&address.storage);
  auto* v6 = reinterpret_cast<sockaddr_in6*>(&address.storage);
  if (inet_pton(AF_INET, host.c_str(), &v4->sin_addr) == 1) {
    if ((ntohl(v4->sin_addr.s_addr) >> 24) != 127) return wrong("only loopback addresses are listened at");
    v4->sin_family = AF_INET;
    v4->sin_port = htons(static_cast<uint16_t>(port));
    address.size = sizeof(sockaddr_in);
    return address;
  }
  if (host == "[::1]") {
    v6->sin6_family = AF_INET6;
    v6->sin6_addr = in6addr_loopback;
    v6->sin6_port = htons(static_cast<uint16_t>(port));
    address.size = sizeof(sockaddr_in6);
    return address;
  }
  return wrong(host.empty() ? "it has no host" : "only loopback addresses are listened at");
}

std::string Response(std::string_view status, std::string_view type, std::string_view body) {
  return fmt::format(
      "HTTP/1.1 {}\r\nContent-Type: {}\r\nContent-Length: {}\r\nX-Content-Type-Options: nosniff\r\n"
      "Cache-Control: no-store\r\nConnection: close\r\n\r\n{}",
      status, type, body.size(), body);
}

std::string HeaderOf(std::string_view request, std::string_view name) {
  size_t at = request.find("\r\n");
  while (at != std::string_view::npos && at + 2 < request.size()) {
    const size_t end = request.find("\r\n", at + 2);
    const std::string_view line = request.substr(at + 2, end == std::string_view::npos ? end : end - at - 2);
    if (line.size() > name.size() && line[name.size()] == ':' &&
        strncasecmp(line.data(), name.data(), name.size()) == 0) {
      std::string_view value = line.substr(name.size() + 1);
      while (value.starts_with(' ')) value.remove_prefix(1);
      return std::string(value);
    }
    at = end;
  }
  return {};
}

bool HostIsLocal(std::string host) {
  host = host.substr(0, host.starts_with('[') ? host.find(']') + 1 : host.find(':'));
  return host == "localhost" || host == "[::1]" || host.starts_with("127.");
}

}  // namespace

Result<std::unique_ptr<MetricsListener>> MetricsListener::Start(const std::string& address,
                                                                std::function<std::string()> text) {
  Address wanted = MUTIRAO_TRY(ReadAddress(address));
  std::unique_ptr<MetricsListener> listener(new MetricsListener());
  listener->text_ = std::move(text);
  listener->listener_ = socket(wanted.storage.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const int on = 1;
  setsockopt(listener->listener_, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  auto* generic = reinterpret_cast<sockaddr*>(&wanted.storage);
  if (bind(listener->listener_, generic, wanted.size) != 0 || listen(listener->listener_, 16) != 0) {
    return Status::Io(fmt::format("cannot listen at {} for metrics: {}", address, std::strerror(errno)))
        .Help("choose another port with --metrics, or see who has this one");
  }
  getsockname(listener->listener_, generic, &wanted.size);
  const bool v4 = wanted.storage.ss_family == AF_INET;
  const uint16_t port =
      v4 ? reinterpret_cast<sockaddr_in*>(generic)->sin_port : reinterpret_cast<sockaddr_in6*>(generic)->sin6_port;
  listener->address_ = fmt::format("{}:{}", address.substr(0, address.rfind(':')), ntohs(port));
  listener->end_ = eventfd(0, EFD_CLOEXEC);
  listener->thread_ = std::thread([self = listener.get()] { self->Loop(); });
  return listener;
}

MetricsListener::~MetricsListener() {
  if (thread_.joinable()) {
    eventfd_write(end_, 1);
    thread_.join();
  }
  for (const int fd : {listener_, end_}) {
    if (fd >= 0) close(fd);
  }
}

void MetricsListener::Loop() {
  while (true) {
    pollfd fds[2] = {{listener_, POLLIN, 0}, {end_, POLLIN, 0}};
    if (poll(fds, 2, -1) < 0 && errno != EINTR) return;
    if (fds[1].revents != 0) return;
    const int connection = accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
    if (connection < 0) continue;
    Answer(connection);
    close(connection);
  }
}

void MetricsListener::Answer(int connection) {
  const timeval patience{.tv_sec = kPatienceMs / 1000, .tv_usec = 0};
  setsockopt(connection, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
  std::string request;
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::milliseconds(kPatienceMs);
  while (request.find("\r\n\r\n") == std::string::npos) {
    const auto left =
        std::chrono::duration_cast<std::chrono::milliseconds>(deadline - std::chrono::steady_clock::now());
    pollfd fds[2] = {{connection, POLLIN, 0}, {end_, POLLIN, 0}};
    if (left.count() <= 0 || poll(fds, 2, static_cast<int>(left.count())) <= 0 || fds[1].revents != 0) return;
    char bytes[2048];
    const ssize_t got = recv(connection, bytes, sizeof bytes, 0);
    if (got <= 0 || request.size() > kLongestRequest) return;
    request.append(bytes, static_cast<size_t>(got));
  }
  std::string response;
  if (!HostIsLocal(HeaderOf(request, "Host"))) {
    response = Response("421 Misdirected Request", "text/plain", "this server is not who you think\n");
  } else if (request.starts_with("GET /metrics ") || request.starts_with("GET /metrics?")) {
    response = Response("200 OK", "text/plain; version=0.0.4; charset=utf-8", text_());
  } else {
    response = Response("404 Not Found", "text/plain", "metrics are at /metrics\n");
  }
  for (std::string_view rest = response; !rest.empty();) {
    const ssize_t sent = send(connection, rest.data(), rest.size(), MSG_NOSIGNAL);
    if (sent <= 0) return;
    rest.remove_prefix(static_cast<size_t>(sent));
  }
}

}  // namespace mutirao::orchestration
