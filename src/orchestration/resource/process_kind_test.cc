#include "orchestration/resource/process_kind.h"

#include <unistd.h>

#include <csignal>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/child_process.h"
#include "base/id.h"
#include "orchestration/resource/marked_processes.h"
#include "orchestration/resource/readiness.h"

namespace mutirao::orchestration {
namespace {

using std::chrono::seconds;
using std::chrono::steady_clock;
using testing::HasSubstr;

class ProcessKind : public testing::Test {
 protected:
  void SetUp() override { std::filesystem::create_directories(folder_); }
  void TearDown() override {
    [[maybe_unused]] Status ended = EndMarked(lease_, std::chrono::milliseconds(0), steady_clock::now() + seconds(30));
    std::filesystem::remove_all(folder_);
  }

  AcquireContext Context(Json config) {
    for (const auto& [key, property] : kind_->config_schema()["properties"].items()) {
      if (!config.contains(key) && property.contains("default")) config[key] = property["default"];
    }
    AcquireContext context{.run_id = "20260101-000000-00000000", .job = "j", .resource = "server", .lease = lease_};
    context.config = std::move(config);
    context.project_root = context.run_folder = folder_;
    context.environment = &environment_;
    context.stop = stop_.get_token();
    context.deadline = steady_clock::now() + seconds(60);
    context.hold = [this](const Json& handle) {
      handle_ = handle;
      return Status::Ok();
    };
    context.report = [](const Json&) {};
    return context;
  }
  Result<std::unique_ptr<Resource>> Acquire(const std::string& config) {
    return kind_->Acquire(Context(Json::parse(config)));
  }
  std::string Log() {
    std::ifstream file(folder_ + "/resource.server.log");
    return {std::istreambuf_iterator<char>(file), {}};
  }
  size_t Left() { return FindMarked(lease_).size(); }

  std::unique_ptr<ResourceKind> kind_ = MakeProcessKind();
  const std::string lease_ = "mutirao-test-" + RandomHex(12);
  const std::string folder_ = testing::TempDir() + lease_;
  Environment environment_ = Environment::OfProcess();
  std::stop_source stop_;
  Json handle_;
};

TEST_F(ProcessKind, StartsWaitsUntilReadyAndEnds) {
  auto made =
      Acquire(R"({"command": ["sh", "-c", "sleep 0.1; echo up and running; sleep 600"], "ready": {"log": "up and"}})");
  ASSERT_TRUE(made.ok()) << made.status().ToString();
  EXPECT_GE(Left(), 1U);
  EXPECT_EQ((*made)->facts()["pid"], handle_["process"]["pid"]);
  EXPECT_TRUE((*made)->Release(Outcome::kSucceeded, steady_clock::now() + seconds(30)).ok());
  EXPECT_EQ(Left(), 0U);
  EXPECT_THAT(Log(), HasSubstr("up and running"));
}

TEST_F(ProcessKind, FindsAFreePortAndWaitsForIt) {
  auto made = Acquire(R"({"command": ["python3", "-m", "http.server", "${port.web}", "--bind", "127.0.0.1"],
                          "ports": ["web"], "ready": {"tcp": "${port.web}", "http": "http://127.0.0.1:${port.web}/"},
                          "facts": {"url": "http://127.0.0.1:${port.web}"}})");
  ASSERT_TRUE(made.ok()) << made.status().ToString() << Log();
  const std::string url = (*made)->facts()["url"];
  EXPECT_TRUE(AnswersHttp(url + "/"));
  EXPECT_FALSE(AnswersHttp(url + "/missing"));
  EXPECT_TRUE((*made)->Release(Outcome::kSucceeded, steady_clock::now() + seconds(30)).ok());
  EXPECT_FALSE(AcceptsConnections(std::to_string((*made)->facts()["port"]["web"].get<int>())));
}

TEST_F(ProcessKind, SaysWhyItDidNotStart) {
  auto made = Acquire(R"({"command": ["sh", "-c", "echo no licence; exit 3"], "ready": {"log": "up"}})");
  EXPECT_THAT(made.status().ToString(),
              HasSubstr("sh ended with exit code 3 before it was ready; it last said: no licence"));
  made = Acquire(R"({"command": ["no-such-program-at-all"]})");
  EXPECT_EQ(made.status().code(), StatusCode::kNotFound);
}

TEST_F(ProcessKind, EndsWhatIsNotReadyInTime) {
  auto made = Acquire(R"({"command": ["sleep", "600"], "ready": {"tcp": 1}, "start_timeout": "50ms"})");
  EXPECT_EQ(made.status().code(), StatusCode::kDeadline);
  EXPECT_THAT(made.status().ToString(), HasSubstr("it was not ready after 50 ms: nobody listens at 1"));
  EXPECT_EQ(Left(), 0U);
}

TEST_F(ProcessKind, StopsWhileItStarts) {
  stop_.request_stop();
  EXPECT_EQ(Acquire(R"({"command": ["sleep", "600"], "ready": {"tcp": 1}})").status().code(), StatusCode::kCancelled);
  EXPECT_EQ(Left(), 0U);
}

TEST_F(ProcessKind, KillsWhatDoesNotListenAndWhatLeftItsSession) {
  auto made =
      Acquire(R"({"command": ["sh", "-c", "setsid sleep 600 & trap '' TERM; echo up; while true; do sleep 0.05; done"],
                          "ready": {"log": "up"}, "stop_timeout": "100ms"})");
  ASSERT_TRUE(made.ok()) << made.status().ToString();
  EXPECT_TRUE((*made)->Release(Outcome::kFailed, steady_clock::now() + seconds(30)).ok());
  EXPECT_EQ(Left(), 0U);
}

// A process as a dead owner leaves it.
pid_t Orphan(const std::string& lease) {
  ChildProcess::Options options{.argv = {"sh", "-c", "sleep 600 & echo $!"}, .new_session = true};
  options.environment = Environment::OfProcess().ToBlock({{kLeaseVariable, lease}});
  std::string pid;
  options.on_stdout = [&](std::string_view bytes) { pid += bytes; };
  ChildProcess child = MUTIRAO_MUST(ChildProcess::Start(std::move(options)));
  MUTIRAO_MUST(child.Wait());
  return static_cast<pid_t>(std::stol(pid));
}

TEST_F(ProcessKind, ReapsByNameAndTouchesNoOther) {
  Orphan(lease_);
  const pid_t other = Orphan(lease_ + "1");
  Lease lease{.name = lease_, .owner = ThisProcess()};
  EXPECT_TRUE(kind_->Reap(lease).ok());
  EXPECT_TRUE(kind_->Reap(lease).ok()) << "there is nothing left, which is right";
  EXPECT_EQ(Left(), 0U);
  EXPECT_EQ(kill(other, 0), 0);
  kill(other, SIGKILL);
}

TEST_F(ProcessKind, DoesNotReapOnAnotherMachine) {
  Lease lease{.name = lease_, .owner = ThisProcess()};
  lease.owner.host = "elsewhere.example";
  EXPECT_EQ(kind_->Reap(lease).code(), StatusCode::kUnavailable);
  lease.owner = ThisProcess();
  lease.owner.boot_id = "another start of this machine";
  EXPECT_TRUE(kind_->Reap(lease).ok());
}

}  // namespace
}  // namespace mutirao::orchestration
