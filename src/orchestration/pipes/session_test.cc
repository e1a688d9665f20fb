#include "orchestration/pipes/session.h"

#include <unistd.h>

#include <filesystem>
#include <fstream>

#include <gtest/gtest.h>

#include "orchestration/pipes/bootstrap.h"
#include "orchestration/pipes/context.h"
#include "orchestration/pipes/message_file.h"
#include "orchestration/pipes/results.h"

namespace mutirao::orchestration::pipes {
namespace {

const std::string kOpened = R"({"__dagster_pipes_version": "0.1", "method": "opened", "params": {"extras": {}}})";
const std::string kClosed = R"({"__dagster_pipes_version": "0.1", "method": "closed", "params": {}})";

std::string Custom(const std::string& payload) {
  return R"({"__dagster_pipes_version": "0.1", "method": "report_custom_message", "params": {"payload": )" + payload +
         "}}";
}

// A session that keeps what it reads.
struct Heard {
  Results results;
  Session session{[this](const Message& message) { return results.Take(message); }};
  LineCutter cutter{kLongestMessage, [this](const LineCutter::Line& line) { session.TakeLine(line); }};
};

TEST(Session, RefusesOneLineAndGoesOn) {
  Heard heard;
  for (const std::string& line :
       {kOpened, std::string("{broken"), Custom("1"), Custom("2 3"), std::string("   "), Custom("4"), kClosed}) {
    heard.cutter.Add(line + "\n");
  }
  EXPECT_EQ(heard.results.custom_messages().size(), 2U);
  EXPECT_EQ(heard.session.faults(), 2);
  EXPECT_EQ(heard.session.first_faults()[0].substr(0, 11), "message 2: ");
  EXPECT_EQ(heard.session.opened(), 1);
  EXPECT_EQ(heard.session.closed(), 1);
  EXPECT_TRUE(heard.session.warnings().empty());
}

TEST(Session, KeepsTheFirstFaultsOnly) {
  Heard heard;
  for (int i = 0; i < 1000; ++i) heard.cutter.Add("x\n");
  EXPECT_EQ(heard.session.faults(), 1000);
  EXPECT_EQ(heard.session.first_faults().size(), 5U);
}

TEST(Session, WaitsForTheEndOfALine) {
  Heard heard;
  std::string text = Custom("\"split anywhere\"") + "\n" + kClosed;
  for (char c : text) heard.cutter.Add(std::string_view(&c, 1));
  EXPECT_EQ(heard.session.messages(), 1);
  heard.cutter.Finish();
  EXPECT_EQ(heard.session.closed(), 1) << "a last line without an end is whole when it is a message";
  heard.cutter.Add("{\"__dag");
  heard.cutter.Finish();
  ASSERT_EQ(heard.session.faults(), 1);
  EXPECT_NE(heard.session.first_faults()[0].find("in the middle"), std::string::npos);
}

TEST(Session, RefusesMessagesThatAreTooLong) {
  Heard heard;
  heard.cutter.Add(Custom("\"" + std::string(2 << 20, 'x') + "\"") + "\n" + Custom("1") + "\n");
  EXPECT_EQ(heard.session.faults(), 1);
  EXPECT_NE(heard.session.first_faults()[0].find("more than 1048576"), std::string::npos);
  EXPECT_EQ(heard.session.messages(), 1);
}

TEST(Session, WarnsOnceOfOtherVersionsAndOfMessagesAfterTheLast) {
  Heard heard;
  std::string other = kClosed;
  other.replace(other.find("0.1"), 3, "9.9");
  heard.cutter.Add(other + "\n" + other + "\n");
  EXPECT_EQ(heard.session.warnings().size(), 2U);
  EXPECT_EQ(heard.session.faults(), 0);
  Heard chunks;
  chunks.cutter.Add(kClosed + "\n" + R"({"__dagster_pipes_version": "0.1", "method": "log_external_stream",)" +
                    R"( "params": {"stream": "stdout", "text": "late"}})" + "\n");
  EXPECT_TRUE(chunks.session.warnings().empty()) << "pieces of output may come late";
}

TEST(Session, TellsMessagesFromOutputOfAStream) {
  Heard heard;
  auto take = [&](const std::string& text) { return heard.session.TakeStreamLine({.text = text}); };
  EXPECT_FALSE(take("hello"));
  EXPECT_FALSE(take(R"({"level": "info"})"));
  EXPECT_FALSE(take(R"({"key": "__dagster_pipes_version"})"));
  EXPECT_FALSE(take(R"(say "__dagster_pipes_version")"));
  EXPECT_TRUE(take(Custom("1")));
  EXPECT_EQ(heard.session.faults(), 0);
  EXPECT_TRUE(take(Custom("1").substr(0, 70))) << "a message that was cut is refused, not shown as output";
  EXPECT_EQ(heard.session.faults(), 1);
}

TEST(Results, AreBounded) {
  Heard heard;
  std::string payload = "\"" + std::string(1 << 19, 'x') + "\"";
  for (int i = 0; i < 40; ++i) heard.cutter.Add(Custom(payload) + "\n");
  EXPECT_LE(heard.results.custom_messages().size(), 32U);
  EXPECT_GE(heard.session.faults(), 8);
}

TEST(Bootstrap, SpeaksAsTheOthersDo) {
  EXPECT_EQ(DecodeParameter("eJyrVipILMlQslJQ0i/Qz00tLk5MTy1WqgUAWIkHrg==")->dump(), R"({"path":"/p/messages"})");
  Json value = {{"path", "/tmp/ü"}, {"data", {1, 2}}};
  EXPECT_EQ(*DecodeParameter(EncodeParameter(value)), value);
  for (const char* text : {"", "x", "Zm9v", "eJyrVipILMlQslJQ0i/Qz00tLk5MTy1WqgUAWIkHrQ=="}) {
    EXPECT_FALSE(DecodeParameter(text).ok()) << text;
  }
}

TEST(Context, HasAllItsKeys) {
  ContextPayload context{.asset_keys = {"b", "a"}, .run_id = "r", .job_name = "j", .retry_number = 1};
  EXPECT_EQ(context.ToJson().dump(),
            R"({"asset_keys":["a","b"],"code_version_by_asset_key":{"a":null,"b":null},)"
            R"("provenance_by_asset_key":{"a":null,"b":null},"partition_key":null,"partition_key_range":null,)"
            R"("partition_time_window":null,"run_id":"r","job_name":"j","retry_number":1,"extras":{}})");
  context.asset_keys.clear();
  EXPECT_TRUE(context.ToJson()["asset_keys"].is_null());
}

TEST(MessageFile, IsReadWhileItGrowsAndGoesAway) {
  std::string path = ::testing::TempDir() + "/pipes-messages-" + std::to_string(getpid());
  std::filesystem::remove(path);
  Heard heard;
  {
    MessageFile file = *MessageFile::Make(path, heard.session);
    EXPECT_EQ(MessageFile::Make(path, heard.session).status().code(), StatusCode::kAlreadyExists);
    EXPECT_EQ(std::filesystem::status(path).permissions(),
              std::filesystem::perms::owner_read | std::filesystem::perms::owner_write);
    std::ofstream out(path, std::ios::app);
    out << kOpened << "\n" << kClosed.substr(0, 20) << std::flush;
    ASSERT_TRUE(file.Poll().ok());
    EXPECT_EQ(heard.session.messages(), 1);
    out << kClosed.substr(20) << "\n" << std::flush;
    ASSERT_TRUE(file.Finish().ok());
    EXPECT_EQ(heard.session.closed(), 1);
  }
  EXPECT_FALSE(std::filesystem::exists(path));
}

}  // namespace
}  // namespace mutirao::orchestration::pipes
