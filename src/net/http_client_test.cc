#include "net/http_client.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <thread>

#include <fmt/format.h>
#include <gtest/gtest.h>

namespace mutirao::net {
namespace {

using namespace std::chrono_literals;

// A server of one answer on a free port of 127.0.0.1.
class OneAnswer {
 public:
  explicit OneAnswer(std::string answer) : answer_(std::move(answer)) {
    listener_ = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address{.sin_family = AF_INET};
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    EXPECT_EQ(bind(listener_, reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
    EXPECT_EQ(listen(listener_, 1), 0);
    socklen_t size = sizeof address;
    getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &size);
    port_ = ntohs(address.sin_port);
    thread_ = std::thread([this] { Serve(); });
  }
  ~OneAnswer() {
    shutdown(listener_, SHUT_RDWR);
    thread_.join();
    close(listener_);
  }
  std::string Url(const std::string& host = "127.0.0.1") const {
    return fmt::format("http://{}:{}/p?secret", host, port_);
  }
  // Once the answer was given.
  const std::string& request() const { return request_; }

 private:
  void Serve() {
    const int connection = accept(listener_, nullptr, nullptr);
    if (connection < 0) return;
    char buffer[4096];
    ssize_t n = 0;
    while (request_.find("\r\n\r\n") == std::string::npos && (n = read(connection, buffer, sizeof buffer)) > 0) {
      request_.append(buffer, static_cast<size_t>(n));
    }
    for (size_t at = 0; at < answer_.size();) {
      n = send(connection, answer_.data() + at, answer_.size() - at, MSG_NOSIGNAL);
      if (n <= 0) break;
      at += static_cast<size_t>(n);
    }
    // A silent one holds the line until the client gives up.
    if (answer_.empty()) (void)!read(connection, buffer, 1);
    close(connection);
  }

  std::string answer_;
  std::string request_;
  int listener_ = -1;
  int port_ = 0;
  std::thread thread_;
};

TEST(SendHttp, GivesTheAnswer) {
  OneAnswer server("HTTP/1.1 503 Busy\r\nContent-Length: 4\r\n\r\nlate");
  const auto response = SendHttp({.method = "POST", .url = server.Url(), .headers = {"X-A: b"}, .body = "{}"});
  ASSERT_TRUE(response.ok()) << response.status().ToString();
  EXPECT_EQ(response->status, 503);
  EXPECT_FALSE(response->success());
  EXPECT_EQ(response->body, "late");
  EXPECT_NE(server.request().find("X-A: b"), std::string::npos);
}

TEST(SendHttp, ReadsNoMoreThanItWants) {
  OneAnswer server("HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n" + std::string(100000, 'x'));
  const auto response = SendHttp({.url = server.Url(), .most_body = 10});
  ASSERT_TRUE(response.ok()) << response.status().ToString();
  EXPECT_EQ(response->body, "xxxxxxxxxx");
}

TEST(SendHttp, FollowsNothing) {
  OneAnswer server("HTTP/1.1 302 Found\r\nLocation: http://169.254.169.254/\r\nContent-Length: 0\r\n\r\n");
  EXPECT_EQ(SendHttp({.url = server.Url()})->status, 302);
}

TEST(SendHttp, GivesUpOnTheSilent) {
  OneAnswer server("");
  const auto response = SendHttp({.url = server.Url(), .timeout = 200ms});
  EXPECT_EQ(response.status().code(), StatusCode::kDeadline);
  EXPECT_EQ(response.status().ToString().find("secret"), std::string::npos);
}

TEST(SendHttp, StopsWhenAsked) {
  OneAnswer server("");
  std::stop_source stop;
  stop.request_stop();
  EXPECT_EQ(SendHttp({.url = server.Url()}, stop.get_token()).status().code(), StatusCode::kCancelled);
}

TEST(SendHttp, TellsThatNobodyIsThere) {
  EXPECT_EQ(SendHttp({.url = "http://127.0.0.1:1/"}).status().code(), StatusCode::kUnavailable);
}

TEST(SendHttp, RefusesLinkLocalInEveryForm) {
  for (const char* host : {"169.254.169.254", "2852039166", "0xa9fea9fe", "[::ffff:169.254.169.254]", "[fe80::1]",
                           "0.0.0.0", "224.0.0.1"}) {
    const auto response = SendHttp({.url = fmt::format("http://{}/latest", host), .timeout = 5000ms});
    EXPECT_EQ(response.status().code(), StatusCode::kInvalid) << host << ": " << response.status().ToString();
  }
}

TEST(SendHttp, RefusesASplitHeader) {
  EXPECT_EQ(SendHttp({.url = "http://127.0.0.1:1/", .headers = {"A: b\r\nC: d"}}).status().code(),
            StatusCode::kInvalid);
}

}  // namespace
}  // namespace mutirao::net
