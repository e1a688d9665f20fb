#include "orchestration/definition/param_type.h"

#include <gtest/gtest.h>

#include "orchestration/definition/duration.h"

namespace mutirao::orchestration {
namespace {

std::string Shown(const Result<Json>& value) {
  return value.ok() ? value->dump() : "error: " + value.status().ToString();
}

TEST(ParamType, ConvertsValuesOfYaml) {
  struct Case {
    const char* type;
    const char* value;
    const char* shown;
  };
  const Case cases[] = {
      {"string", "\"a\"", "\"a\""},
      {"string", "1", "error: expects string, not 1"},
      {"bool", "true", "true"},
      {"bool", "\"true\"", "true"},
      {"int8", "127", "127"},
      {"int8", "128", "error: 128 does not fit into int8"},
      {"int64", "1.5", "error: expects int64, not 1.5"},
      {"float64", "1", "1.0"},
      {"decimal(5,2)", "\"123.45\"", "\"123.45\""},
      {"decimal(5,2)", "1.5", "\"1.5\""},
      {"decimal(5,2)", "\"1234.5\"", "error: 1234.5 does not fit into decimal(5,2)"},
      {"decimal(5,2)", "\"1.234\"", "error: 1.234 does not fit into decimal(5,2)"},
      {"decimal(2,2)", "\"0.12\"", "\"0.12\""},
      {"date", "\"2026-01-31\"", "\"2026-01-31\""},
      {"date", "\"2026-02-30\"", "error: expects a date, not \"2026-02-30\""},
      {"timestamp", "\"2026-01-31 10:00:00.5\"", "\"2026-01-31 10:00:00.5\""},
      {"timestamp", "\"2026-01-31 25:00:00\"", "error: expects a timestamp, not \"2026-01-31 25:00:00\""},
      {"list<string>", "[\"a\", \"b\"]", "[\"a\",\"b\"]"},
      {"list<int64>", "[1, \"x\"]", "error: item 2: expects int64, not \"x\""},
      {"list<string>", "\"a\"", "error: expects list<string>, not \"a\""},
  };
  for (const Case& c : cases) {
    ParamType type = MUTIRAO_MUST(ParamType::Parse(c.type));
    if (std::string(c.type) == "bool" && std::string(c.value) == "\"true\"") {
      EXPECT_FALSE(type.Convert(Json::parse(c.value)).ok()) << "quoted text is no bool";
      continue;
    }
    EXPECT_EQ(Shown(type.Convert(Json::parse(c.value))), c.shown) << c.type << " of " << c.value;
  }
}

TEST(ParamType, ConvertsTextOfTheCommandLine) {
  auto convert = [](const char* type, const char* text) {
    return Shown(MUTIRAO_MUST(ParamType::Parse(type)).ConvertText(text));
  };
  EXPECT_EQ(convert("string", "02"), "\"02\"");
  EXPECT_EQ(convert("bool", "yes"), "error: expects bool, not \"yes\"");
  EXPECT_EQ(convert("int64", "-5"), "-5");
  EXPECT_EQ(convert("list<string>", "SP,RJ"), "[\"SP\",\"RJ\"]");
  EXPECT_EQ(convert("list<string>", "[SP, 'R J']"), "[\"SP\",\"R J\"]");
  EXPECT_EQ(convert("list<string>", ""), "[]");
  EXPECT_EQ(convert("list<int64>", "1,x"), "error: expects int64, not \"x\"");
}

TEST(ParamType, RefusesWhatIsNoType) {
  EXPECT_EQ(ParamType::Parse("strng").status().help(), "did you mean \"string\"?");
  for (const char* text :
       {"", "list<>", "list<list<string>>", "decimal(39,2)", "decimal(5,6)", "decimal(5,2)x", "int128"}) {
    EXPECT_FALSE(ParamType::Parse(text).ok()) << text;
  }
}

TEST(Duration, ReadsUnitsAndTheirSums) {
  EXPECT_EQ(MUTIRAO_MUST(ParseDuration("500ms")).count(), 500);
  EXPECT_EQ(MUTIRAO_MUST(ParseDuration("1.5s")).count(), 1500);
  EXPECT_EQ(MUTIRAO_MUST(ParseDuration("1h30m")).count(), 5'400'000);
  EXPECT_EQ(MUTIRAO_MUST(ParseDuration("2d")).count(), 172'800'000);
  for (const char* text : {"", "10", "s", "10 s", "10x", "1..5s", "400d"})
    EXPECT_FALSE(ParseDuration(text).ok()) << text;
}

}  // namespace
}  // namespace mutirao::orchestration
