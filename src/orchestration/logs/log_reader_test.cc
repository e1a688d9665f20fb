#include "orchestration/logs/log_reader.h"

#include <unistd.h>

#include <filesystem>
#include <fstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace mutirao::orchestration {
namespace {

using ::testing::ElementsAre;

class LogReaderTest : public testing::Test {
 protected:
  void SetUp() override {
    folder_ = testing::TempDir() + "mutirao-logs-XXXXXX";
    ASSERT_NE(mkdtemp(folder_.data()), nullptr);
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }
  void Append(const std::string& name, const std::string& text) {
    std::ofstream(folder_ + "/" + name, std::ios::app) << text;
  }
  std::vector<std::string> Read(LogReader& reader, bool all, const std::vector<OpRow>& ops = {}) {
    std::vector<std::string> pieces;
    while (true) {
      const LogPiece piece = MUTIRAO_MUST(reader.Next(ops, all));
      if (piece.text.empty()) return pieces;
      EXPECT_LE(piece.text.size(), 65536U);
      pieces.push_back(piece.op + "." + std::to_string(piece.attempt) + ":" + piece.text);
    }
  }
  std::string folder_;
};

TEST_F(LogReaderTest, GoesByTheOrderOfStarts) {
  for (const char* name : {"b.1.log", "a.2.log", "a.1.log", "a.1.err", "worker.log", "a.x.log", ".1.log", "c.0.log"}) {
    Append(name, "x\n");
  }
  std::vector<OpRow> ops(2);
  ops[0] = {.op = "a", .started = WallTime(std::chrono::seconds(20))};
  ops[1] = {.op = "b", .started = WallTime(std::chrono::seconds(10))};
  LogReader reader(folder_, "");
  EXPECT_THAT(Read(reader, true, ops), ElementsAre("b.1:x\n", "a.1:x\n", "a.2:x\n"));
  LogReader one(folder_, "b");
  EXPECT_THAT(Read(one, true, ops), ElementsAre("b.1:x\n"));
}

TEST_F(LogReaderTest, FollowsWholeLines) {
  LogReader reader(folder_, "");
  EXPECT_TRUE(Read(reader, false).empty());
  Append("a.1.log", "one\ntw");
  EXPECT_THAT(Read(reader, false), ElementsAre("a.1:one\n"));
  EXPECT_TRUE(Read(reader, false).empty());
  Append("a.1.log", "o\nend");
  EXPECT_THAT(Read(reader, false), ElementsAre("a.1:two\n"));
  EXPECT_THAT(Read(reader, true), ElementsAre("a.1:end"));
}

TEST_F(LogReaderTest, ReadsLongLinesInPieces) {
  Append("a.1.log", std::string(200000, 'x') + "\nend\n");
  LogReader reader(folder_, "");
  std::string all;
  for (const std::string& piece : Read(reader, true)) all += piece.substr(4);
  EXPECT_EQ(all, std::string(200000, 'x') + "\nend\n");
}

TEST_F(LogReaderTest, StartsNearTheEnd) {
  Append("a.1.log", "first line\nsecond line\nthird\n");
  LogReader reader(folder_, "");
  reader.SkipToTail(10);
  EXPECT_THAT(Read(reader, true), ElementsAre("a.1:third\n"));
  LogReader exact(folder_, "");
  exact.SkipToTail(6);
  EXPECT_THAT(Read(exact, true), ElementsAre("a.1:third\n"));
  LogReader whole(folder_, "");
  whole.SkipToTail(1000);
  EXPECT_EQ(Read(whole, true).size(), 1U);
}

TEST_F(LogReaderTest, ReadsNoLinks) {
  symlink("/etc/passwd", (folder_ + "/a.1.log").c_str());
  LogReader reader(folder_, "");
  EXPECT_TRUE(Read(reader, true).empty());
  LogReader none(folder_ + "/none", "");
  EXPECT_TRUE(Read(none, true).empty());
}

}  // namespace
}  // namespace mutirao::orchestration
