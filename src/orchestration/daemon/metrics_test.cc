#include "orchestration/daemon/metrics.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "net/http_client.h"
#include "orchestration/daemon/metrics_listener.h"

namespace mutirao::orchestration {
namespace {

using ::testing::HasSubstr;

TEST(MetricsText, HasCountersAndWhatTheStoreCounts) {
  ServerCounters counters;
  counters.ticks_launched = 3;
  const std::string text =
      MetricsText(counters, {{"runs", {{"queued", 2}, {"a\"b", 1}}}, {"events", 7}, {"note", "x"}});
  EXPECT_THAT(text, HasSubstr("# TYPE mutirao_ticks_launched_total counter\nmutirao_ticks_launched_total 3\n"));
  EXPECT_THAT(text, HasSubstr("mutirao_store_runs{state=\"queued\"} 2\n"));
  EXPECT_THAT(text, HasSubstr("mutirao_store_runs{state=\"a\\\"b\"} 1\n"));
  EXPECT_THAT(text, HasSubstr("mutirao_store_events 7\n"));
  EXPECT_THAT(text, HasSubstr("mutirao_process_resident_memory_bytes "));
  EXPECT_EQ(text.find("note"), std::string::npos);
}

class MetricsListenerTest : public testing::Test {
 protected:
  void SetUp() override {
    listener_ = MUTIRAO_MUST(MetricsListener::Start("127.0.0.1:0", [] { return std::string("a 1\n"); }));
  }
  net::HttpResponse Get(const std::string& path, std::vector<std::string> headers = {}) {
    return MUTIRAO_MUST(net::SendHttp({.url = "http://" + listener_->address() + path, .headers = std::move(headers)}));
  }
  std::unique_ptr<MetricsListener> listener_;
};

TEST_F(MetricsListenerTest, AnswersOnePathAlone) {
  EXPECT_EQ(Get("/metrics").body, "a 1\n");
  EXPECT_EQ(Get("/metrics?x=1").status, 200);
  EXPECT_EQ(Get("/").status, 404);
  EXPECT_EQ(Get("/metrics2").status, 404);
}

TEST_F(MetricsListenerTest, RefusesForeignNames) {
  EXPECT_EQ(Get("/metrics", {"Host: evil.example"}).status, 421);
  EXPECT_EQ(Get("/metrics", {"Host:"}).status, 421);
  EXPECT_EQ(Get("/metrics", {"Host: localhost:9187"}).status, 200);
}

TEST_F(MetricsListenerTest, OutlivesWhatIsNoRequest) {
  for (const std::string& bytes : {std::string("\r\n\r\n"), std::string(100000, 'x'), std::string("GET /metrics")}) {
    const int fd = socket(AF_INET, SOCK_STREAM, 0);
    sockaddr_in address{.sin_family = AF_INET};
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    address.sin_port = htons(static_cast<uint16_t>(std::stoi(listener_->address().substr(10))));
    ASSERT_EQ(connect(fd, reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
    (void)!send(fd, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    close(fd);
  }
  EXPECT_EQ(Get("/metrics").status, 200);
}

TEST(MetricsListener, TakesLoopbackAlone) {
  const auto text = [] { return std::string(); };
  for (const char* address : {"0.0.0.0:0", "10.0.0.1:80", "[::]:80", "example.org:80", "127.0.0.1", "127.0.0.1:x",
                              "127.0.0.1:70000", ":80", ""}) {
    EXPECT_EQ(MetricsListener::Start(address, text).status().code(), StatusCode::kInvalid) << address;
  }
  const auto first = MUTIRAO_MUST(MetricsListener::Start("localhost:0", text));
  EXPECT_EQ(MetricsListener::Start("127.0.0.1:" + first->address().substr(10), text).status().code(), StatusCode::kIo);
}

}  // namespace
}  // namespace mutirao::orchestration
