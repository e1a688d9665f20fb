#include "orchestration/daemon/control_socket.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstring>
#include <filesystem>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "orchestration/daemon/folder_lock.h"

namespace mutirao::orchestration {
namespace {

using ::testing::HasSubstr;

class ControlSocketTest : public testing::Test {
 protected:
  void SetUp() override {
    // Deeper than an address of a socket may be long.
    folder_ = testing::TempDir() + "mutirao-socket-XXXXXX";
    ASSERT_NE(mkdtemp(folder_.data()), nullptr);
    base_ = folder_;
    folder_ += "/" + std::string(100, 'a') + "/" + std::string(100, 'b');
    std::filesystem::create_directories(folder_);
  }
  void TearDown() override { std::filesystem::remove_all(base_); }

  std::unique_ptr<ControlListener> Listen() {
    return MUTIRAO_MUST(ControlListener::Start(folder_, [](const ControlCall& call) -> Result<Json> {
      if (call.method == "echo") return call.params;
      return Status::NotFound("no such call").Help("try echo");
    }));
  }

  // Sends bytes as they are and gives what comes back until the end.
  std::string Raw(const std::string& bytes) {
    const int folder = open(folder_.c_str(), O_PATH | O_DIRECTORY);
    const int fd = socket(AF_UNIX, SOCK_STREAM, 0);
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    const std::string path = "/proc/self/fd/" + std::to_string(folder) + "/server.sock";
    std::memcpy(address.sun_path, path.c_str(), path.size() + 1);
    EXPECT_EQ(connect(fd, reinterpret_cast<sockaddr*>(&address), sizeof address), 0) << strerror(errno);
    for (size_t at = 0; at < bytes.size();) {
      const ssize_t sent = send(fd, bytes.data() + at, bytes.size() - at, MSG_NOSIGNAL);
      if (sent <= 0) break;
      at += static_cast<size_t>(sent);
    }
    shutdown(fd, SHUT_WR);
    std::string answer;
    char buffer[4096];
    ssize_t got = 0;
    while ((got = read(fd, buffer, sizeof buffer)) > 0) answer.append(buffer, static_cast<size_t>(got));
    close(fd);
    close(folder);
    return answer;
  }

  std::string base_;
  std::string folder_;
};

TEST_F(ControlSocketTest, AnswersCalls) {
  const auto listener = Listen();
  const Result<Json> answer = CallServer(folder_, "echo", {{"a", "á\n"}});
  ASSERT_TRUE(answer.ok()) << answer.status().ToString();
  EXPECT_EQ(*answer, Json({{"a", "á\n"}}));
  const Result<Json> error = CallServer(folder_, "nothing", Json::object());
  EXPECT_EQ(error.status().code(), StatusCode::kNotFound);
  EXPECT_EQ(error.status().help(), "try echo");
}

TEST_F(ControlSocketTest, IsForThisUserAlone) {
  const auto listener = Listen();
  struct stat found {};
  ASSERT_EQ(stat((folder_ + "/server.sock").c_str(), &found), 0);
  EXPECT_EQ(found.st_mode & 0777, 0600U);
}

TEST_F(ControlSocketTest, TellsThatNobodyIsThere) {
  EXPECT_EQ(CallServer(folder_, "echo", {}).status().code(), StatusCode::kUnavailable);
  EXPECT_THAT(CallServer(folder_, "echo", {}).status().help(), HasSubstr("mutirao serve"));
  EXPECT_EQ(CallServer(folder_ + "/none", "echo", {}).status().code(), StatusCode::kUnavailable);
  { const auto listener = Listen(); }
  EXPECT_FALSE(std::filesystem::exists(folder_ + "/server.sock"));
}

TEST_F(ControlSocketTest, ReplacesTheSocketOfADeadServer) {
  const int fd = socket(AF_UNIX, SOCK_STREAM, 0);
  std::filesystem::current_path(folder_);
  sockaddr_un address{.sun_family = AF_UNIX};
  std::strcpy(address.sun_path, "server.sock");
  ASSERT_EQ(bind(fd, reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
  close(fd);
  std::filesystem::current_path("/");
  EXPECT_EQ(CallServer(folder_, "echo", {}).status().code(), StatusCode::kUnavailable);
  const auto listener = Listen();
  EXPECT_TRUE(CallServer(folder_, "echo", Json::object()).ok());
}

TEST_F(ControlSocketTest, OutlivesWhatIsNoCall) {
  const auto listener = Listen();
  for (const std::string bytes : {"\n", "hello\n", "[1]\n", "{\"method\": 3}\n",
                                  "{\"method\": \"echo\", \"params\": 3}\n", "\xff\xfe\n", "{\"method\"", ""}) {
    const std::string answer = Raw(bytes);
    if (bytes.ends_with('\n')) {
      EXPECT_THAT(answer, HasSubstr("\"error\"")) << bytes;
    }
  }
  EXPECT_THAT(Raw(std::string(1000000, '[') + "\n"), HasSubstr("\"error\""));
  EXPECT_THAT(Raw(std::string(kLongestControlLine + 100000, 'x')), HasSubstr("too long"));
  EXPECT_TRUE(CallServer(folder_, "echo", Json::object()).ok());
}

TEST_F(ControlSocketTest, AnswersSeveralCallsOfOneConnection) {
  const auto listener = Listen();
  const std::string call = EncodeCall({.id = "x", .method = "echo", .params = {{"n", 1}}});
  EXPECT_EQ(Raw(call + call), EncodeAnswer("x", Json({{"n", 1}})) + EncodeAnswer("x", Json({{"n", 1}})));
}

TEST_F(ControlSocketTest, ServesManyAtOnce) {
  const auto listener = Listen();
  std::vector<std::thread> callers;
  std::atomic<int> answered{0};
  for (int i = 0; i < 20; ++i) {
    callers.emplace_back([&] {
      if (CallServer(folder_, "echo", {{"i", 1}}).ok()) ++answered;
    });
  }
  for (std::thread& caller : callers) caller.join();
  EXPECT_EQ(answered, 20);
}

TEST_F(ControlSocketTest, EndsWhileSomebodyIsConnected) {
  auto listener = Listen();
  const int fd = socket(AF_UNIX, SOCK_STREAM, 0);
  std::filesystem::current_path(folder_);
  sockaddr_un address{.sun_family = AF_UNIX};
  std::strcpy(address.sun_path, "server.sock");
  ASSERT_EQ(connect(fd, reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
  std::filesystem::current_path("/");
  EXPECT_TRUE(CallServer(folder_, "echo", Json::object()).ok());  // it was accepted
  listener.reset();
  close(fd);
}

TEST_F(ControlSocketTest, OneServerHoldsAFolder) {
  const std::string folder = folder_ + "/.mutirao";
  {
    const auto lock = FolderLock::Take(folder);
    ASSERT_TRUE(lock.ok()) << lock.status().ToString();
    const auto second = FolderLock::Take(folder);
    EXPECT_EQ(second.status().code(), StatusCode::kUnavailable);
    EXPECT_THAT(second.status().ToString(), HasSubstr("pid " + std::to_string(getpid())));
    struct stat found {};
    ASSERT_EQ(stat(folder.c_str(), &found), 0);
    EXPECT_EQ(found.st_mode & 0777, 0700U);
  }
  EXPECT_TRUE(FolderLock::Take(folder).ok());
  EXPECT_EQ(FolderLock::Take("/proc/none").status().code(), StatusCode::kIo);
}

}  // namespace
}  // namespace mutirao::orchestration
