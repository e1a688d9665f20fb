#include <gtest/gtest.h>

#include "orchestration/pipes/message.h"

namespace mutirao::orchestration::pipes {
namespace {

std::string Line(const std::string& method, const std::string& params) {
  return R"({"__dagster_pipes_version": "0.1", "method": ")" + method + R"(", "params": )" + params + "}";
}

template <typename T>
T Read(const std::string& method, const std::string& params) {
  Result<Message> message = ParseMessage(Line(method, params));
  EXPECT_TRUE(message.ok()) << message.status().ToString();
  return std::get<T>(message->body);
}

TEST(ParseMessage, ReadsEveryKind) {
  EXPECT_EQ(Read<Opened>("opened", R"({"extras": {"log": "x"}})").extras["log"], "x");
  EXPECT_FALSE(Read<Closed>("closed", "{}").exception);
  EXPECT_FALSE(Read<Closed>("closed", "null").exception);
  EXPECT_EQ(Read<CustomMessage>("report_custom_message", R"({"payload": [1, null]})").payload.dump(), "[1,null]");
  StreamText piece = Read<StreamText>("log_external_stream", R"({"stream": "stderr", "text": "a\nb"})");
  EXPECT_TRUE(piece.is_stderr && piece.text == "a\nb");

  auto made = Read<Materialization>("report_asset_materialization",
                                    R"({"asset_key": "raw/a\\/b", "data_version": "v1", "metadata": null})");
  EXPECT_EQ(made.asset, (AssetKey{"raw", "a/b"}));
  EXPECT_EQ(made.data_version, "v1");
  auto check = Read<AssetCheck>("report_asset_check",
                                R"({"asset_key": "a", "check_name": "rows", "passed": false, "severity": "WARN",
                                    "metadata": {"n": {"raw_value": 3, "type": "int"}}, "later": 1})");
  EXPECT_EQ(check.ToJson().dump(), R"({"asset_key":"a","check":"rows","passed":false,"severity":"warn",)"
                                   R"("metadata":{"n":{"type":"int","value":3}}})");
}

TEST(ParseMessage, ReadsLevelsInAnyCase) {
  for (auto [name, level] : {std::pair("DEBUG", PipesLogLevel::kDebug), std::pair("info", PipesLogLevel::kInfo),
                             std::pair("Warn", PipesLogLevel::kWarning), std::pair("WARNING", PipesLogLevel::kWarning),
                             std::pair("ERROR", PipesLogLevel::kError), std::pair("FATAL", PipesLogLevel::kCritical),
                             std::pair("critical", PipesLogLevel::kCritical)}) {
    EXPECT_EQ(Read<LogLine>("log", R"({"message": "m", "level": ")" + std::string(name) + "\"}").level, level);
  }
  EXPECT_EQ(Read<LogLine>("log", R"({"message": "m"})").level, PipesLogLevel::kInfo);
}

TEST(ParseMessage, ReadsExceptionsWithTheirCauses) {
  Exception exception =
      *Read<Closed>("closed", R"({"exception": {"message": "ValueError: bad\nrow\n", "name": "ValueError",
      "stack": ["  File \"x.py\"\n"], "context": null,
      "cause": {"message": "inner", "name": null, "stack": [], "cause": null, "context": null}}})")
           .exception;
  EXPECT_EQ(exception.Headline(), "ValueError: bad row");
  EXPECT_EQ(exception.stack.size(), 1U);
  EXPECT_EQ(exception.cause->message, "inner");
  EXPECT_FALSE(exception.cause->name || exception.context);
  EXPECT_EQ((Exception{.message = "no", .name = "std::runtime_error"}).Headline(), "std::runtime_error: no");
}

TEST(ParseMessage, TakesNumbersThatAreNoneForNull) {
  std::string params = R"({"payload": {"NaN": [NaN, -Infinity, Infinity, "NaN \" Infinity"]}})";
  EXPECT_EQ(Read<CustomMessage>("report_custom_message", params).payload.dump(),
            R"({"NaN":[null,null,null,"NaN \" Infinity"]})");
}

TEST(ParseMessage, RefusesWhatIsWrongAndSaysWhat) {
  const std::string deep(200, '[');
  const std::pair<std::string, std::string> cases[] = {
      {"", "not valid JSON"},
      {R"({"method": "closed")", "not valid JSON"},
      {Line("report_custom_message", R"({"payload": 1e999})"), "a number that is too large"},
      {"5", "it is a whole number"},
      {R"({"params": {}})", "\"method\" is missing"},
      {R"({"method": "closed"})", "\"params\" is missing"},
      {R"({"method": 1, "params": {}})", "\"method\" must be text"},
      {Line("report", "{}"), "report: there is no such method"},
      {Line("se cret", "{}"), "a method without a name: there is no such method"},
      {Line("log", "null"), "\"params\" must be a mapping"},
      {Line("opened", "{}"), "\"extras\" is missing"},
      {Line("opened", R"({"extras": 1})"), "\"extras\" must be a mapping"},
      {Line("closed", R"({"exception": null})"), "\"exception\" must be a mapping, not nothing"},
      {Line("closed", R"({"exception": {"message": "m", "name": "n", "stack": [], "cause": null}})"), "context"},
      {Line("closed", R"({"exception": {"message": "m", "name": 1, "stack": [], "cause": null, "context": null}})"),
       "\"name\" must be text or null"},
      {Line("closed", R"({"exception": {"message": "m", "name": null, "stack": [1], "cause": null, "context": null}})"),
       "\"stack\" must be a list of texts"},
      {Line("log", R"({"message": "m", "level": "TRACE"})"), "\"level\" is none of"},
      {Line("log", R"({"level": "INFO"})"), "\"message\" is missing"},
      {Line("log_external_stream", R"({"stream": "out", "text": ""})"), "neither stdout nor stderr"},
      {Line("report_custom_message", "{}"), "\"payload\" is missing"},
      {Line("report_asset_materialization", R"({"asset_key": "a", "metadata": null})"), "\"data_version\" is missing"},
      {Line("report_asset_materialization", R"({"asset_key": "a", "data_version": 1, "metadata": null})"),
       "data_version"},
      {Line("report_asset_materialization", R"({"asset_key": "", "data_version": null, "metadata": null})"), "empty"},
      {Line("report_asset_materialization", R"({"asset_key": "a", "data_version": null, "metadata": {"n": 1}})"),
       "metadata \"n\": expects a mapping"},
      {Line("report_asset_check",
            R"({"asset_key": "a", "check_name": "c", "passed": 1, "severity": "WARN", "metadata": null})"),
       "\"passed\" must be true or false"},
      {Line("report_asset_check",
            R"({"asset_key": "a", "check_name": "c", "passed": true, "severity": "warn", "metadata": null})"),
       "neither WARN nor ERROR"},
      {Line("report_custom_message", "{\"payload\": " + deep + std::string(200, ']') + "}"), "nested deeper"},
  };
  for (const auto& [line, said] : cases) {
    Result<Message> message = ParseMessage(line);
    ASSERT_FALSE(message.ok()) << line;
    EXPECT_NE(message.status().ToString().find(said), std::string::npos) << line << "\n" << message.status().ToString();
  }
}

TEST(ParseMessage, GivesUpOnMoreKeysThanAnybodyNeeds) {
  std::string payload = "{";
  for (int i = 0; i < 20'000; ++i) payload += "\"k" + std::to_string(i) + "\":1,";
  payload.back() = '}';
  Result<Message> message = ParseMessage(Line("report_custom_message", "{\"payload\": " + payload + "}"));
  EXPECT_NE(message.status().ToString().find("keys"), std::string::npos);
}

TEST(ParseMessage, TellsTheVersion) {
  EXPECT_TRUE(ParseMessage(Line("closed", "{}"))->IsKnownVersion());
  EXPECT_FALSE(ParseMessage(R"({"method": "closed", "params": {}})")->IsKnownVersion());
  EXPECT_FALSE(
      ParseMessage(R"({"__dagster_pipes_version": "9.9", "method": "closed", "params": {}})")->IsKnownVersion());
}

TEST(AssetKey, EscapesAndDropsAnEmptyEnd) {
  EXPECT_EQ(ParseAssetKey("a/"), (AssetKey{"a"}));
  EXPECT_EQ(ParseAssetKey("a//b"), (AssetKey{"a", "", "b"}));
  EXPECT_EQ(ParseAssetKey("a\\/b\\\\/c"), (AssetKey{"a/b\\", "c"}));
  EXPECT_EQ(ParseAssetKey("a\\"), (AssetKey{"a\\"}));
  EXPECT_EQ(FormatAssetKey({"a/b\\", "c"}), "a\\/b\\\\/c");
  EXPECT_TRUE(ParseAssetKey("").empty());
}

}  // namespace
}  // namespace mutirao::orchestration::pipes
