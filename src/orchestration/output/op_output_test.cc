#include "orchestration/output/op_output.h"

#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <sstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace mutirao::orchestration {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

std::vector<std::string> LinesOf(std::string_view bytes, size_t piece) {
  std::vector<std::string> lines;
  OutputLines output([&](const std::string& line) { lines.push_back(line); });
  for (size_t at = 0; at < bytes.size(); at += piece) output.Add(bytes.substr(at, piece));
  output.Finish();
  return lines;
}

TEST(OutputLines, LeavesOutWhatACarriageReturnOverwrites) {
  for (size_t piece : {1, 2, 3, 100}) {
    EXPECT_THAT(LinesOf("a\r\nb\r10 %\r20 %\nc\r\r\nd\n\ne", piece), ElementsAre("a", "20 %", "c", "d", "", "e"));
  }
}

TEST(OutputLines, CleansWhatNoTerminalShouldGet) {
  EXPECT_THAT(LinesOf("\x1b[31mred\x1b[0m\a\n", 100), ElementsAre("red "));
  EXPECT_THAT(LinesOf("a\xff\xc3\n\xed\xa0\x80 \xc3\xa9\n", 1),
              ElementsAre("a\xEF\xBF\xBD\xEF\xBF\xBD", "\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD \xc3\xa9"));
}

TEST(OutputLines, ShortensLongLines) {
  std::string ten_megabytes(10'000'000, 'x');
  std::vector<std::string> lines = LinesOf(ten_megabytes + "\nnext\n", 65536);
  ASSERT_EQ(lines.size(), 2U);
  EXPECT_LT(lines[0].size(), OutputLines::kLongestLine + 100);
  EXPECT_THAT(lines[0], HasSubstr(std::to_string(10'000'000 - OutputLines::kLongestLine) + " bytes of this line"));
  EXPECT_EQ(lines[1], "next");
}

TEST(OutputLines, MasksSecretsThatAreCutBetweenPieces) {
  Redactor::Global().Add("hunter2-of-output");
  for (size_t piece : {1, 3, 7}) {
    EXPECT_THAT(LinesOf("pass hunter2-of-output\nhunter2-of-\noutput", piece),
                ElementsAre("pass ***", "hunter2-of-", "output"));
  }
}

class Folder {
 public:
  Folder() : path_(std::filesystem::path(::testing::TempDir()) / ("output-" + std::to_string(getpid()))) {}
  ~Folder() { std::filesystem::remove_all(path_); }
  std::string Log() const { return (path_ / "logs" / "op.1.log").string(); }
  std::string Text() const {
    std::ifstream file(Log());
    std::ostringstream text;
    text << file.rdbuf();
    return text.str();
  }

 private:
  std::filesystem::path path_;
};

TEST(OpOutput, KeepsLinesWithTimeAndStream) {
  Folder folder;
  std::vector<std::string> told;
  OpOutput output(folder.Log(), {}, [&](const std::string& line) { told.push_back(line); });
  output.Add(OutputStream::kOut, "one\ntw");
  output.Add(OutputStream::kErr, "bad\n  \n");
  output.Add(OutputStream::kOut, "o\nthree");
  output.Finish();
  EXPECT_THAT(told, ElementsAre("one", "bad", "  ", "two", "three"));
  EXPECT_THAT(folder.Text(), ::testing::MatchesRegex("[^ ]+Z out one\n[^ ]+Z err bad\n[^ ]+Z err   \n[^ ]+Z out two\n"
                                                     "[^ ]+Z out three\n"));
  EXPECT_EQ(output.log().Tail(OutputStream::kOut), "one\ntwo\nthree\n");
  EXPECT_EQ(output.log().LastLine(OutputStream::kErr), "bad");
  EXPECT_EQ(std::filesystem::status(folder.Log()).permissions(),
            std::filesystem::perms::owner_read | std::filesystem::perms::owner_write);
}

TEST(OpLog, LinesAreReadBack) {
  std::optional<OpLogLine> line = ReadOpLogLine("2026-01-31T10:00:00.000001Z err a b");
  ASSERT_TRUE(line);
  EXPECT_EQ(line->time, "2026-01-31T10:00:00.000001Z");
  EXPECT_EQ(line->stream, OutputStream::kErr);
  EXPECT_EQ(line->text, "a b");
  EXPECT_EQ(ReadOpLogLine("2026-01-31T10:00:00.000001Z out ")->text, "");
  for (const char* other : {"", "x", "2026-01-31T10:00:00.000001Z", "2026-01-31T10:00:00.000001Z other x", "a b c"}) {
    EXPECT_FALSE(ReadOpLogLine(other)) << other;
  }
}

TEST(OpOutput, KeepsBeginningAndEndOfAFlood) {
  Folder folder;
  int told = 0;
  OpOutput output(folder.Log(), {.log_bytes = 100'000, .end_bytes = 10'000}, [&](const std::string&) { ++told; });
  int64_t bytes = 0;
  for (int i = 0; i < 200'000; ++i) {
    std::string line = "line " + std::to_string(i) + "\n";
    bytes += static_cast<int64_t>(line.size());
    output.Add(OutputStream::kOut, line);
  }
  output.Finish();
  std::string text = folder.Text();
  EXPECT_LT(text.size(), 250'000U);
  EXPECT_THAT(text, HasSubstr("out line 0\n"));
  EXPECT_THAT(text, HasSubstr("out line 199999\n"));
  EXPECT_THAT(text, HasSubstr("left out here"));
  EXPECT_LT(told, 10'000);
  Json summary = output.log().Summary();
  EXPECT_EQ(summary["lines"], 200'000);
  EXPECT_EQ(summary["bytes"], bytes);
  EXPECT_GT(summary["lines_left_out"].get<int>(), 150'000);
}

TEST(OpOutput, GoesOnWithoutADisk) {
  OpOutput output("/dev/null/op.1.log", {}, [](const std::string&) {});
  output.Add(OutputStream::kOut, "one\n");
  output.Finish();
  EXPECT_THAT(output.log().Summary().value("error", ""), HasSubstr("/dev/null/op.1.log"));
  EXPECT_EQ(output.log().Tail(OutputStream::kOut), "one\n");
  OpOutput full("/dev/full", {}, [](const std::string&) {});
  full.Add(OutputStream::kOut, "one\n");
  full.Finish();
  EXPECT_THAT(full.log().Summary().value("error", ""), HasSubstr("No space left"));
}

}  // namespace
}  // namespace mutirao::orchestration
