#include "base/oom_watch.h"

#include <unistd.h>

#include <filesystem>
#include <fstream>

#include <gtest/gtest.h>

namespace mutirao {
namespace {

namespace fs = std::filesystem;

// A made-up /proc and /sys.
class Root {
 public:
  Root() : folder_(fs::path(::testing::TempDir()) / ("oom-" + std::to_string(getpid()))) { fs::remove_all(folder_); }
  ~Root() { fs::remove_all(folder_); }
  void Write(const std::string& name, const std::string& text) const {
    fs::create_directories((folder_ / name).parent_path());
    std::ofstream(folder_ / name) << text;
  }
  std::string path() const { return folder_.string(); }

 private:
  fs::path folder_;
};

TEST(OomWatch, ReadsTheCountersOfVersion2) {
  Root root;
  root.Write("proc/self/cgroup", "0::/work/run\n");
  root.Write("sys/fs/cgroup/work/run/memory.events", "low 0\noom 1\noom_kill 1\n");
  root.Write("sys/fs/cgroup/work/run/memory.max", "2147483648\n");
  OomWatch watch = OomWatch::Start(root.path());
  EXPECT_FALSE(watch.Killed());
  root.Write("sys/fs/cgroup/work/run/memory.events", "low 0\noom 2\noom_kill 2\n");
  EXPECT_EQ(watch.Killed(), "cgroup limit 2 GiB");
  root.Write("sys/fs/cgroup/work/run/memory.max", "max\n");
  EXPECT_EQ(watch.Killed(), "cgroup limit of a cgroup above this one");
}

TEST(OomWatch, ReadsTheCountersOfVersion1AlsoFromInsideAContainer) {
  Root root;
  root.Write("proc/self/cgroup", "4:cpu,memory:/docker/abc\n0::/\n");
  root.Write("sys/fs/cgroup/memory/memory.oom_control", "oom_kill_disable 0\nunder_oom 0\noom_kill 0\n");
  root.Write("sys/fs/cgroup/memory/memory.limit_in_bytes", "104857600\n");
  OomWatch watch = OomWatch::Start(root.path());
  root.Write("sys/fs/cgroup/memory/memory.oom_control", "oom_kill_disable 0\nunder_oom 0\noom_kill 1\n");
  EXPECT_EQ(watch.Killed(), "cgroup limit 100 MiB");
}

TEST(OomWatch, DoesNotTakeADeathInAnotherCgroupForOneHere) {
  Root root;
  root.Write("proc/self/cgroup", "0::/a\n");
  root.Write("sys/fs/cgroup/a/memory.events", "oom_kill 0\n");
  root.Write("proc/vmstat", "oom_kill 4\n");
  OomWatch watch = OomWatch::Start(root.path());
  root.Write("proc/vmstat", "oom_kill 5\n");
  EXPECT_FALSE(watch.Killed());
}

TEST(OomWatch, FallsBackToTheMachine) {
  Root root;
  root.Write("proc/vmstat", "oom_kill_other 9\noom_kill 4\n");
  OomWatch watch = OomWatch::Start(root.path());
  EXPECT_FALSE(watch.Killed());
  root.Write("proc/vmstat", "oom_kill_other 9\noom_kill 5\n");
  EXPECT_EQ(watch.Killed(), "the machine's memory");
  EXPECT_FALSE(OomWatch::Start(root.path() + "/nothing").Killed());
}

}  // namespace
}  // namespace mutirao
