#include "base/process_identity.h"

#include <sys/wait.h>
#include <unistd.h>

#include <csignal>

#include <gtest/gtest.h>

namespace mutirao {
namespace {

TEST(ProcessIdentity, ThisProcessIsAlive) {
  EXPECT_EQ(LookFor(ThisProcess()), Liveness::kAlive);
  EXPECT_EQ(ThisProcess(), ThisProcess());
  EXPECT_EQ(ThisProcess().pid, getpid());
}

TEST(ProcessIdentity, AnotherStartTimeIsAnotherProcess) {
  ProcessIdentity other = ThisProcess();
  other.start_ticks += 1;
  EXPECT_EQ(LookFor(other), Liveness::kDead);
}

TEST(ProcessIdentity, ProcessesOfAnEarlierBootAreDead) {
  ProcessIdentity other = ThisProcess();
  other.boot_id = "00000000-0000-0000-0000-000000000000";
  EXPECT_EQ(LookFor(other), Liveness::kDead);
}

TEST(ProcessIdentity, OtherMachinesCannotBeLookedInto) {
  ProcessIdentity other = ThisProcess();
  other.host = "elsewhere.example";
  EXPECT_EQ(LookFor(other), Liveness::kElsewhere) << "such as another container of this machine";
  other.boot_id = "00000000-0000-0000-0000-000000000000";
  EXPECT_EQ(LookFor(other), Liveness::kElsewhere);
}

TEST(ProcessIdentity, AZombieIsDead) {
  pid_t pid = fork();
  if (pid == 0) {
    pause();
    _exit(0);
  }
  Result<ProcessIdentity> child = IdentifyProcess(pid);
  ASSERT_TRUE(child.ok());
  EXPECT_EQ(LookFor(*child), Liveness::kAlive);
  kill(pid, SIGKILL);
  siginfo_t info{};
  ASSERT_EQ(waitid(P_PID, static_cast<id_t>(pid), &info, WEXITED | WNOWAIT), 0);
  EXPECT_EQ(LookFor(*child), Liveness::kDead);
  ASSERT_EQ(waitpid(pid, nullptr, 0), pid);
  EXPECT_EQ(LookFor(*child), Liveness::kDead);
}

TEST(ProcessIdentity, ReadsBackItsJson) {
  Result<ProcessIdentity> back = ProcessIdentity::FromJson(ThisProcess().ToJson());
  ASSERT_TRUE(back.ok());
  EXPECT_EQ(*back, ThisProcess());
  EXPECT_FALSE(ProcessIdentity::FromJson(Json::array()).ok());
  EXPECT_FALSE(ProcessIdentity::FromJson(Json{{"host", "a"}, {"pid", "1"}}).ok());
}

}  // namespace
}  // namespace mutirao
