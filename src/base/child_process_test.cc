#include "base/child_process.h"

#include <signal.h>

#include <gtest/gtest.h>

namespace mutirao {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using std::chrono::steady_clock;

ChildProcess::Options Shell(std::string script) {
  return {.argv = {"sh", "-c", std::move(script)}};
}

TEST(ChildProcess, GivesOutputAndExitCode) {
  std::string out, err;
  auto options = Shell("echo hello; echo problem >&2; exit 3");
  options.on_stdout = [&](std::string_view text) { out += text; };
  options.on_stderr = [&](std::string_view text) { err += text; };
  auto child = ChildProcess::Start(std::move(options));
  ASSERT_TRUE(child.ok()) << child.status().ToString();
  auto state = child->Wait();
  ASSERT_TRUE(state.ok());
  EXPECT_EQ(state->ToString(), "exit code 3");
  EXPECT_EQ(out, "hello\n");
  EXPECT_EQ(err, "problem\n");
}

TEST(ChildProcess, SendsLargeInputWhileReadingOutput) {
  std::string out;
  ChildProcess::Options options{.argv = {"cat"}};
  options.input = std::string(3'000'000, 'x');
  options.on_stdout = [&](std::string_view text) { out += text; };
  auto child = ChildProcess::Start(std::move(options));
  ASSERT_TRUE(child.ok());
  ASSERT_TRUE(child->Wait()->success());
  EXPECT_EQ(out.size(), 3'000'000u);
}

TEST(ChildProcess, NamesAMissingProgram) {
  auto child = ChildProcess::Start({.argv = {"no-such-program-here"}});
  ASSERT_FALSE(child.ok());
  EXPECT_EQ(child.status().code(), StatusCode::kNotFound);
  EXPECT_NE(child.status().message().find("no-such-program-here"), std::string::npos);
}

TEST(ChildProcess, NamesAMissingWorkingFolder) {
  ChildProcess::Options options = Shell("true");
  options.working_dir = "/no/such/folder";
  EXPECT_FALSE(ChildProcess::Start(std::move(options)).ok());
}

TEST(ChildProcess, SignalReachesTheWholeGroup) {
  auto child = ChildProcess::Start(Shell("sleep 100 & wait"));
  ASSERT_TRUE(child.ok());
  EXPECT_FALSE(child->WaitUntil(steady_clock::now() + milliseconds(50))->has_value());
  child->Signal(SIGTERM);
  auto state = child->WaitUntil(steady_clock::now() + seconds(10));
  ASSERT_TRUE(state.ok() && state->has_value());
  EXPECT_EQ((*state)->ToString(), "killed by SIGTERM");
}

TEST(ChildProcess, DestroyingItKillsIt) {
  pid_t pid;
  {
    auto child = ChildProcess::Start({.argv = {"sleep", "100"}});
    ASSERT_TRUE(child.ok());
    pid = child->pid();
  }
  EXPECT_NE(kill(pid, 0), 0);
}

TEST(ChildProcess, TakesAnEnvironmentOfItsOwn) {
  std::string out;
  auto options = Shell("echo $ONLY-$HOME");
  options.environment = {{"ONLY=this", "PATH=/usr/bin:/bin"}};
  options.on_stdout = [&](std::string_view text) { out += text; };
  auto child = ChildProcess::Start(std::move(options));
  ASSERT_TRUE(child.ok() && child->Wait()->success());
  EXPECT_EQ(out, "this-\n");
}

}  // namespace
}  // namespace mutirao
