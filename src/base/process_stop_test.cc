#include "base/process_stop.h"

#include <csignal>
#include <string>

#include <gtest/gtest.h>

namespace mutirao {
namespace {

using std::chrono::milliseconds;

// A shell that says what it gets; stopped as soon as it has written "ready".
struct Shell {
  explicit Shell(const std::string& script) {
    ChildProcess::Options options{.argv = {"/bin/sh", "-c", script}};
    options.on_stdout = [this](std::string_view bytes) {
      out += bytes;
      if (stop_when_ready && out.find("ready") != std::string::npos) stop.request_stop();
    };
    options.on_stderr = [](std::string_view) {};
    child.emplace(MUTIRAO_MUST(ChildProcess::Start(std::move(options))));
  }
  WatchedExit Wait(StopDelays delays = {}) {
    return MUTIRAO_MUST(WaitOrStop(*child, delays, stop.get_token(), force, [] { return Status::Ok(); }));
  }

  std::string out;
  bool stop_when_ready = true;
  std::stop_source stop;
  std::atomic<bool> force{false};
  std::optional<ChildProcess> child;
};

// Generous to a busy machine where the signal is expected to be heeded, short where it is not.
constexpr StopDelays kHeeded{.interrupt = milliseconds(60'000), .terminate = milliseconds(60'000)};
constexpr StopDelays kIgnored{.interrupt = milliseconds(100), .terminate = milliseconds(100)};

TEST(WaitOrStop, InterruptsFirst) {
  Shell shell("trap 'echo interrupted; exit 3' INT; echo ready; while :; do sleep 0.05; done");
  WatchedExit exit = shell.Wait(kHeeded);
  EXPECT_EQ(exit.state.code, 3);
  EXPECT_EQ(exit.sent, SIGINT);
  EXPECT_NE(shell.out.find("interrupted"), std::string::npos);
}

TEST(WaitOrStop, TerminatesWhatIgnoresTheInterrupt) {
  Shell shell("trap '' INT; trap 'exit 4' TERM; echo ready; while :; do sleep 0.05; done");
  WatchedExit exit = shell.Wait({.interrupt = milliseconds(100), .terminate = milliseconds(60'000)});
  EXPECT_EQ(exit.state.code, 4);
  EXPECT_EQ(exit.sent, SIGTERM);
}

TEST(WaitOrStop, KillsWhatIgnoresBoth) {
  Shell shell("trap '' INT TERM; echo ready; while :; do sleep 0.05; done");
  WatchedExit exit = shell.Wait(kIgnored);
  EXPECT_EQ(exit.state.signal, SIGKILL);
  EXPECT_EQ(exit.sent, SIGKILL);
}

TEST(WaitOrStop, KillsAtOnceWhenForced) {
  Shell shell("trap '' INT TERM; echo ready; while :; do sleep 0.05; done");
  shell.force = true;
  EXPECT_EQ(shell.Wait(kHeeded).sent, SIGKILL);
}

TEST(WaitOrStop, LeavesNobodyOfTheGroupBehind) {
  // Background jobs of a shell ignore SIGINT, and this one SIGTERM too.
  Shell shell("(trap '' TERM; sleep 600) & echo ready; wait");
  shell.Wait({.interrupt = milliseconds(60'000), .terminate = milliseconds(200)});
  EXPECT_TRUE(shell.child->GroupIsGone());
  Shell left("sleep 600 >/dev/null 2>&1 & exit 7");
  EXPECT_EQ(left.Wait(kHeeded).state.code, 7);
  EXPECT_TRUE(left.child->GroupIsGone());
}

TEST(WaitOrStop, WaitsForWhatDescendantsStillWrite) {
  Shell shell("(sleep 0.3; echo late) & exit 0");
  shell.stop_when_ready = false;
  WatchedExit exit = shell.Wait({.linger = milliseconds(60'000)});
  EXPECT_TRUE(exit.state.success());
  EXPECT_EQ(exit.sent, 0);
  EXPECT_EQ(shell.out, "late\n");
}

}  // namespace
}  // namespace mutirao
