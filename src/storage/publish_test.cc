#include "storage/publish.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <filesystem>
#include <fstream>
#include <map>
#include <random>
#include <set>
#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "storage/replace.h"
#include "storage/staging.h"
#include "storage/user_rights_test_support.h"

namespace mutirao::storage {
namespace {

namespace fs = std::filesystem;
using Strings = std::vector<std::string>;

// A dataset of the tests: version N is these files, each with "N" as its content.
const Strings& PartsOf(int version) {
  static std::map<int, Strings> parts;
  std::string v = std::to_string(version);
  return parts.try_emplace(version, Strings{"part-" + v + "-0", "part-" + v + "-1", "uf=SP/part-" + v + "-0"})
      .first->second;
}

void Put(const std::string& path, const std::string& content) {
  fs::create_directories(fs::path(path).parent_path());
  std::ofstream(path) << content;
}

std::string Get(const std::string& path) {
  std::ifstream in(path);
  return {std::istreambuf_iterator<char>(in), {}};
}

Strings FilesIn(const std::string& dir) {
  Strings files;
  if (!fs::exists(dir)) return files;
  for (const auto& entry : fs::recursive_directory_iterator(dir)) {
    if (entry.is_regular_file()) files.push_back(fs::relative(entry.path(), dir).string());
  }
  std::sort(files.begin(), files.end());
  return files;
}

std::string Stage(const std::string& target, PublishMode mode, int version) {
  auto staging = BeginStaging(target, mode, "run" + std::to_string(version));
  EXPECT_TRUE(staging.ok()) << staging.status().ToString();
  for (const std::string& part : PartsOf(version)) Put(*staging + "/" + part, std::to_string(version));
  return *staging;
}

Status PublishVersion(const std::string& target, PublishMode mode, int version) {
  std::string staging = Stage(target, mode, version);
  return PublishFolder(staging, target, mode, PartsOf(version));
}

// The versions whole in the target; fails the test for one that is there in part.
std::set<int> VersionsAt(const std::string& target) {
  std::map<int, int> count;
  for (const std::string& file : FilesIn(target)) ++count[std::atoi(Get(target + "/" + file).c_str())];
  std::set<int> versions;
  for (auto [version, files] : count) {
    EXPECT_EQ(files, 3) << "version " << version << " is there in part";
    versions.insert(version);
  }
  return versions;
}

class PublishTest : public testing::Test {
 protected:
  void SetUp() override {
    char name[] = "/tmp/mutirao-publish-XXXXXX";
    dir_ = mkdtemp(name);
    target_ = dir_ + "/out";
  }
  void TearDown() override { fs::remove_all(dir_); }

  Strings Entries() {
    Strings names;
    for (const auto& entry : fs::directory_iterator(dir_)) names.push_back(entry.path().filename());
    std::sort(names.begin(), names.end());
    return names;
  }

  std::string dir_;
  std::string target_;
};

TEST_F(PublishTest, MakesReplacesAndAppends) {
  ASSERT_TRUE(PublishVersion(target_, PublishMode::kError, 1).ok());
  EXPECT_EQ(VersionsAt(target_), (std::set{1}));
  ASSERT_TRUE(PublishVersion(target_, PublishMode::kOverwrite, 2).ok());
  EXPECT_EQ(VersionsAt(target_), (std::set{2}));
  ASSERT_TRUE(PublishVersion(target_, PublishMode::kAppend, 3).ok());
  ASSERT_TRUE(PublishVersion(target_, PublishMode::kAppend, 4).ok());
  EXPECT_EQ(VersionsAt(target_), (std::set{2, 3, 4}));
  EXPECT_EQ(Entries(), (Strings{"out"}));
}

TEST_F(PublishTest, ErrorModeRefusesWhatExists) {
  ASSERT_TRUE(PublishVersion(target_, PublishMode::kError, 1).ok());
  EXPECT_EQ(BeginStaging(target_, PublishMode::kError, "r").status().code(), StatusCode::kAlreadyExists);
  EXPECT_EQ(Entries(), (Strings{"out"}));
}

TEST_F(PublishTest, ErrorModeRefusesWhatCameMeanwhile) {
  std::string staging = Stage(target_, PublishMode::kError, 1);
  Put(target_ + "/theirs", "7");
  EXPECT_EQ(PublishFolder(staging, target_, PublishMode::kError, PartsOf(1)).code(), StatusCode::kAlreadyExists);
  EXPECT_EQ(FilesIn(target_), (Strings{"theirs"}));
  DiscardStaging(staging);
  DiscardStaging(staging);
  EXPECT_EQ(Entries(), (Strings{"out"}));
}

TEST_F(PublishTest, EmptyFolderCountsAsNothing) {
  fs::create_directory(target_);
  ASSERT_TRUE(PublishVersion(target_, PublishMode::kError, 1).ok());
  EXPECT_EQ(VersionsAt(target_), (std::set{1}));
}

TEST_F(PublishTest, KeepsOnlyTheNamedFiles) {
  std::string staging = Stage(target_, PublishMode::kError, 1);
  Put(staging + "/late/attempt", "9");
  Put(staging + "/x", "9");
  ASSERT_TRUE(PublishFolder(staging, target_, PublishMode::kError, PartsOf(1)).ok());
  EXPECT_EQ(VersionsAt(target_), (std::set{1}));
  EXPECT_FALSE(fs::exists(target_ + "/late"));
}

TEST_F(PublishTest, MissingOrEscapingFilesPublishNothing) {
  std::string staging = Stage(target_, PublishMode::kError, 1);
  for (const char* name : {"gone", "../x", "/etc/passwd", "", "uf=SP"}) {
    EXPECT_EQ(PublishFolder(staging, target_, PublishMode::kError, {name}).code(), StatusCode::kInvalid) << name;
  }
  EXPECT_FALSE(fs::exists(target_));
  DiscardStaging(staging);
}

TEST_F(PublishTest, FolderNeverReplacesAFile) {
  Put(target_, "precious");
  std::string staging = Stage(target_, PublishMode::kOverwrite, 1);
  EXPECT_EQ(PublishFolder(staging, target_, PublishMode::kOverwrite, PartsOf(1)).code(), StatusCode::kInvalid);
  EXPECT_EQ(Get(target_), "precious");
  DiscardStaging(staging);
}

TEST_F(PublishTest, LinkIsFollowed) {
  fs::create_directory(dir_ + "/real");
  Put(dir_ + "/real/a/old", "0");
  fs::create_directory_symlink("real/a", target_);
  ASSERT_TRUE(PublishVersion(target_ + "/", PublishMode::kOverwrite, 1).ok());
  EXPECT_TRUE(fs::is_symlink(target_));
  EXPECT_EQ(VersionsAt(dir_ + "/real/a"), (std::set{1}));
  fs::create_symlink("nowhere", dir_ + "/dangling");
  EXPECT_EQ(BeginStaging(dir_ + "/dangling", PublishMode::kError, "r").status().code(), StatusCode::kInvalid);
}

TEST_F(PublishTest, ModeOfTheReplacedFolderIsKept) {
  ASSERT_TRUE(PublishVersion(target_, PublishMode::kError, 1).ok());
  chmod(target_.c_str(), 0750);
  ASSERT_TRUE(PublishVersion(target_, PublishMode::kOverwrite, 2).ok());
  struct stat info {};
  stat(target_.c_str(), &info);
  EXPECT_EQ(info.st_mode & 0777, 0750u);
}

TEST_F(PublishTest, TargetsThatCannotBeAreRefused) {
  for (const char* bad : {"", "/", ".", "..", "a/.."}) {
    EXPECT_EQ(BeginStaging(bad, PublishMode::kOverwrite, "r").status().code(), StatusCode::kInvalid) << bad;
  }
  EXPECT_EQ(BeginStaging("s3://b/x", PublishMode::kError, "r").status().code(), StatusCode::kUnsupported);
  EXPECT_EQ(BeginStaging(target_, PublishMode::kError, "a/b").status().code(), StatusCode::kInvalid);
}

TEST_F(PublishTest, LivingRunsAreLeftAlone) {
  std::string first = Stage(target_, PublishMode::kOverwrite, 1);
  std::string second = Stage(target_, PublishMode::kOverwrite, 2);
  EXPECT_TRUE(fs::exists(first));
  EXPECT_EQ(BeginStaging(target_, PublishMode::kOverwrite, "run1").status().code(), StatusCode::kAlreadyExists);
  ASSERT_TRUE(PublishFolder(second, target_, PublishMode::kOverwrite, PartsOf(2)).ok());
  ASSERT_TRUE(PublishFolder(first, target_, PublishMode::kOverwrite, PartsOf(1)).ok());
  EXPECT_EQ(VersionsAt(target_), (std::set{1}));
  EXPECT_EQ(Entries(), (Strings{"out"}));
}

TEST_F(PublishTest, ConcurrentAppendsLoseNothing) {
  ASSERT_TRUE(PublishVersion(target_, PublishMode::kError, 0).ok());
  for (int v = 1; v <= 16; ++v) PartsOf(v);
  std::vector<std::jthread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&, t] {
      for (int i = 0; i < 4; ++i) {
        Status published = PublishVersion(target_, PublishMode::kAppend, 1 + t * 4 + i);
        EXPECT_TRUE(published.ok()) << published.ToString();
      }
    });
  }
  threads.clear();
  EXPECT_EQ(VersionsAt(target_).size(), 17u);
  EXPECT_EQ(Entries(), (Strings{"out"}));
}

TEST_F(PublishTest, FoldersAreReplacedWithoutExchangeToo) {
  Put(dir_ + "/a/x", "1");
  Put(dir_ + "/b/x", "2");
  ASSERT_TRUE(ReplaceFolder(dir_ + "/a", dir_ + "/b", Exchange::kNever).ok());
  EXPECT_EQ(Get(dir_ + "/b/x"), "1");
  EXPECT_EQ(Get(AsidePath(dir_ + "/a") + "/x"), "2");
}

TEST_F(PublishTest, DatasetMovedAsideByADeadRunIsPutBack) {
  Put(dir_ + "/.out.staging-r.old/part", "1");
  Put(dir_ + "/.out.staging-r/part", "2");
  auto staging = BeginStaging(target_, PublishMode::kOverwrite, "s");
  ASSERT_TRUE(staging.ok());
  EXPECT_EQ(Get(target_ + "/part"), "1");
  DiscardStaging(*staging);
  EXPECT_EQ(Entries(), (Strings{"out"}));
}

TEST_F(PublishTest, NeighbourOfSimilarNameIsNotTouched) {
  std::string other = Stage(dir_ + "/out.staging-x", PublishMode::kError, 1);
  std::string mine = Stage(target_, PublishMode::kError, 2);
  EXPECT_TRUE(fs::exists(other + "/part-1-0"));
  DiscardStaging(other);
  DiscardStaging(mine);
}

TEST_F(PublishTest, SingleFileIsPublishedWhole) {
  auto put = [&](PublishMode mode, const std::string& run, const std::string& text) {
    auto staging = BeginStaging(target_, mode, run);
    if (!staging.ok()) return std::move(staging).status();
    Put(*staging + "/f", text);
    Status status = PublishFile(*staging + "/f", target_, mode);
    if (!status.ok()) DiscardStaging(*staging);
    return status;
  };
  ASSERT_TRUE(put(PublishMode::kError, "a", "1").ok());
  EXPECT_EQ(put(PublishMode::kError, "b", "2").code(), StatusCode::kAlreadyExists);
  ASSERT_TRUE(put(PublishMode::kOverwrite, "c", "3").ok());
  EXPECT_EQ(put(PublishMode::kAppend, "d", "4").code(), StatusCode::kUnsupported);
  EXPECT_EQ(Get(target_), "3");
  EXPECT_EQ(Entries(), (Strings{"out"}));
  fs::remove(target_);
  fs::create_directory(target_);
  EXPECT_EQ(put(PublishMode::kOverwrite, "e", "5").code(), StatusCode::kInvalid);
}

TEST_F(PublishTest, SmallFileIsReplacedAndDeadTemporariesGo) {
  Put(dir_ + "/.out.new-1-0", "left by a dead writer");
  ASSERT_TRUE(WriteFileAtomically(target_, "one").ok());
  ASSERT_TRUE(WriteFileAtomically(target_, "two").ok());
  EXPECT_EQ(Get(target_), "two");
  EXPECT_EQ(Entries(), (Strings{"out"}));
  EXPECT_EQ(WriteFileAtomically(dir_ + "/no/folder", "x").code(), StatusCode::kNotFound);
}

TEST_F(PublishTest, FullDiskIsToldWithTheFreeSpace) {
  fs::create_directory(target_);
  if (mount("tmpfs", target_.c_str(), "tmpfs", 0, "size=64k") != 0) GTEST_SKIP() << "may not mount tmpfs";
  ASSERT_TRUE(WriteFileAtomically(target_ + "/f", "old").ok());
  Status status = WriteFileAtomically(target_ + "/f", std::string(1 << 20, 'x'));
  EXPECT_EQ(status.code(), StatusCode::kExhausted) << status.ToString();
  EXPECT_THAT(status.help(), testing::HasSubstr("free"));
  EXPECT_EQ(Get(target_ + "/f"), "old");
  EXPECT_EQ(FilesIn(target_), (Strings{"f"}));
  umount(target_.c_str());
}

TEST_F(PublishTest, ReadOnlyFolderIsToldWithItsPath) {
  const WithoutRootsRights user;
  chmod(dir_.c_str(), 0500);
  auto staging = BeginStaging(target_, PublishMode::kError, "r");
  chmod(dir_.c_str(), 0700);
  EXPECT_EQ(staging.status().code(), StatusCode::kIo);
  EXPECT_THAT(staging.status().ToString(), testing::HasSubstr(dir_));
}

// What a killed child does; see Spawn. MUTIRAO_PUBLISH_CHILD is "<how> <target> <first version> <last version>".
TEST(PublishChild, DISABLED_Run) {
  std::istringstream args(std::getenv("MUTIRAO_PUBLISH_CHILD"));
  std::string how, target;
  int version = 0, last = 0;
  args >> how >> target >> version >> last;
  for (; version <= last; ++version) {
    Status status;
    if (how == "overwrite") status = PublishVersion(target, PublishMode::kOverwrite, version);
    if (how == "append") status = PublishVersion(target, PublishMode::kAppend, version);
    if (how == "aside") {
      std::string staging = Stage(target, PublishMode::kOverwrite, version);
      status = ReplaceFolder(staging, target, Exchange::kNever);
      DiscardStaging(staging);
      fs::remove_all(AsidePath(staging));
    }
    if (how == "file") {
      auto staging = BeginStaging(target, PublishMode::kOverwrite, "run" + std::to_string(version));
      ASSERT_TRUE(staging.ok());
      Put(*staging + "/f", std::to_string(version));
      status = PublishFile(*staging + "/f", target, PublishMode::kOverwrite);
    }
    if (how == "small") status = WriteFileAtomically(target, std::to_string(version));
    ASSERT_TRUE(status.ok()) << status.ToString();
  }
}

pid_t Spawn(const std::string& child, const std::string& variable) {
  std::string task = "MUTIRAO_PUBLISH_CHILD=" + child;
  const char* argv[] = {"storage_test", "--gtest_filter=PublishChild.DISABLED_Run", "--gtest_also_run_disabled_tests",
                        nullptr};
  const char* envp[] = {task.c_str(), variable.c_str(), nullptr};
  pid_t pid = vfork();
  if (pid == 0) {
    int null = open("/dev/null", O_WRONLY);
    dup2(null, 1);
    execve("/proc/self/exe", const_cast<char**>(argv), const_cast<char**>(envp));
    _exit(99);
  }
  return pid;
}

int ExitOf(pid_t pid) {
  int status = 0;
  waitpid(pid, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

// All crash points that a child passes.
std::set<std::string> CrashPointsOf(const std::string& child, const std::string& list) {
  EXPECT_EQ(ExitOf(Spawn(child, "MUTIRAO_LIST_FAIL_POINTS=" + list)), 0);
  std::ifstream in(list);
  std::set<std::string> names;
  for (std::string name; in >> name;) names.insert(name);
  fs::remove(list);
  return names;
}

TEST_F(PublishTest, KilledAtEveryPointLeavesOldOrNew) {
  for (std::string how : {"overwrite", "append", "aside"}) {
    ASSERT_TRUE(PublishVersion(target_, PublishMode::kOverwrite, 1).ok());
    auto points = CrashPointsOf(how + " " + target_ + " 2 2", dir_ + "/points");
    EXPECT_GE(points.size(), how == "append" ? 5u : how == "aside" ? 1u : 4u);
    for (const std::string& point : points) {
      SCOPED_TRACE(how + " killed at " + point);
      fs::remove_all(target_);
      ASSERT_TRUE(PublishVersion(target_, PublishMode::kError, 1).ok());
      ASSERT_EQ(ExitOf(Spawn(how + " " + target_ + " 2 2", "MUTIRAO_FAIL_AT=" + point)), 137);
      if (how != "aside") {
        auto seen = VersionsAt(target_);
        EXPECT_TRUE(seen == std::set{1} || seen == (how == "append" ? std::set{1, 2} : std::set{2}));
      }
      auto staging = BeginStaging(target_, PublishMode::kOverwrite, "next");
      ASSERT_TRUE(staging.ok()) << staging.status().ToString();
      DiscardStaging(*staging);
      auto seen = VersionsAt(target_);
      EXPECT_TRUE(seen == std::set{1} || seen == (how == "append" ? std::set{1, 2} : std::set{2}));
      EXPECT_EQ(Entries(), (Strings{"out"}));
    }
  }
}

TEST_F(PublishTest, KilledAtEveryPointLeavesOldOrNewFile) {
  for (std::string how : {"file", "small"}) {
    auto points = CrashPointsOf(how + " " + target_ + " 2 2", dir_ + "/points");
    EXPECT_GE(points.size(), 2u);
    for (const std::string& point : points) {
      SCOPED_TRACE(how + " killed at " + point);
      ASSERT_TRUE(WriteFileAtomically(target_, "1").ok());
      ASSERT_EQ(ExitOf(Spawn(how + " " + target_ + " 2 2", "MUTIRAO_FAIL_AT=" + point)), 137);
      EXPECT_THAT(Get(target_), testing::AnyOf("1", "2"));
      auto staging = BeginStaging(target_, PublishMode::kOverwrite, "next");
      ASSERT_TRUE(staging.ok());
      DiscardStaging(*staging);
      ASSERT_TRUE(WriteFileAtomically(target_, "3").ok());
      EXPECT_EQ(Entries(), (Strings{"out"}));
    }
  }
}

TEST_F(PublishTest, KilledAtRandomTimesLeavesOldOrNew) {
  std::mt19937 random(20260615);
  int version = 1;
  ASSERT_TRUE(PublishVersion(target_, PublishMode::kError, version).ok());
  for (int round = 0; round < 60; ++round) {
    SCOPED_TRACE(round);
    bool append = round % 3 == 2;
    std::string child = (append ? "append " : "overwrite ") + target_ + " " + std::to_string(version + 1) + " " +
                        std::to_string(version + 1000);
    pid_t pid = Spawn(child, "X=");
    std::this_thread::sleep_for(std::chrono::microseconds(20000 + random() % 40000));
    kill(pid, SIGKILL);
    EXPECT_EQ(ExitOf(pid), 137);
    auto staging = BeginStaging(target_, PublishMode::kOverwrite, "next");
    ASSERT_TRUE(staging.ok());
    DiscardStaging(*staging);
    EXPECT_EQ(Entries(), (Strings{"out"}));
    auto seen = VersionsAt(target_);
    ASSERT_FALSE(seen.empty());
    if (!append && *seen.rbegin() != version) {
      EXPECT_EQ(seen.size(), 1u);
    }
    version = *seen.rbegin();
  }
}

}  // namespace
}  // namespace mutirao::storage
