// The cases of public CSV suites in tests/csv, run through the source as it stands; tests/csv/README.md says where
// they come from.
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "base/json.h"
#include "formats/csv/csv_test_support.h"

namespace mutirao::formats::csv {
namespace {

const std::string kFolder = MUTIRAO_SOURCE_DIR "/tests/csv/";

Json LoadCases() {
  std::ifstream file(kFolder + "cases.json");
  std::stringstream text;
  text << file.rdbuf();
  return MUTIRAO_MUST(ParseJson(text.str()))["cases"];
}

std::vector<std::string> Wanted(const Json& rows, bool null_matters) {
  std::vector<std::string> lines;
  for (const Json& row : rows) {
    std::string line;
    for (const Json& value : row)
      line += value.is_null() ? (null_matters ? "∅|" : "|") : value.get<std::string>() + "|";
    lines.push_back(line);
  }
  std::ranges::sort(lines);
  return lines;
}

std::vector<std::string> Found(const ReadOutcome& outcome, bool null_matters) {
  std::vector<std::string> lines;
  for (const auto& row : outcome.rows) {
    std::string line;
    for (const std::string& value : row) line += (value == "∅" && !null_matters ? "" : value) + "|";
    lines.push_back(line);
  }
  std::ranges::sort(lines);
  return lines;
}

// Empty when the outcome is what `want` says, else why not.
std::string Differs(const Json& want, const ReadOutcome& outcome, bool null_matters) {
  if (want.contains("fail")) return outcome.status.ok() ? "it did not fail" : "";
  if (!outcome.status.ok()) return outcome.status.ToString();
  const std::vector<std::string> found = Found(outcome, null_matters);
  if (want.contains("rows")) {
    const std::vector<std::string> wanted = Wanted(want["rows"], null_matters);
    if (found != wanted) {
      return fmt::format("{} rows, {} wanted\n{}\n-- wanted\n{}", found.size(), wanted.size(), fmt::join(found, "\n"),
                         fmt::join(wanted, "\n"));
    }
  } else if (found.size() != want["row_count"].get<size_t>()) {
    return fmt::format("{} rows, {} wanted", found.size(), want["row_count"].get<size_t>());
  } else {
    for (const std::string& line : Wanted(want["head"], null_matters)) {
      if (std::ranges::find(found, line) == found.end()) return "a row is missing: " + line;
    }
  }
  if (want.contains("quarantined") && !want["quarantined"].is_null() &&
      outcome.quarantined != want["quarantined"].get<int64_t>()) {
    return fmt::format("{} rows quarantined, {} wanted", outcome.quarantined, want["quarantined"].get<int64_t>());
  }
  if (want.contains("columns") && want["columns"].is_array() &&
      want["columns"].get<std::vector<std::string>>() != outcome.names) {
    return "column names differ";
  }
  return outcome.AddsUp() ? "" : "the counters do not add up";
}

Json SpecOf(const Json& item) {
  Json spec = item["read"];
  if (spec.contains("quote") && spec["quote"].is_null()) spec["quote"] = "";
  for (const char* key : {"escape", "comment"}) {
    if (spec.contains(key) && spec[key].is_null()) spec.erase(key);
  }
  spec["csv"] = kFolder + "data/" + item["file"].get<std::string>();
  return spec;
}

TEST(CsvSuite, GivesWhatThePublicCasesExpect) {
  const Json cases = LoadCases();
  ASSERT_EQ(cases.size(), 220u);
  for (const Json& item : cases) {
    const bool null_matters = item.value("null_matters", false);
    const ReadOutcome outcome = ReadSpec(SpecOf(item));
    std::string why = Differs(item["expect"], outcome, null_matters);
    // Where readers differ there is more than one right answer.
    for (const Json& other : item.value("accept", Json::array())) {
      if (!why.empty() && Differs(other, outcome, null_matters).empty()) why.clear();
    }
    EXPECT_EQ(why, "") << item["name"];
  }
}

TEST(CsvSuite, DoesNotDependOnChunksOrOnTheQuickPath) {
  for (const Json& item : LoadCases()) {
    const Json spec = SpecOf(item);
    const ReadOutcome whole = ReadSpec(spec);
    if (!whole.status.ok() && whole.rows.empty()) continue;
    for (const int64_t chunk : {61, 997}) {
      ReadOptions options{.workers = 2};
      options.tuning.chunk_bytes = chunk;
      options.tuning.window_bytes = 128;
      options.tuning.simd = SimdLevel::kScalar;
      EXPECT_EQ(Difference(whole, ReadSpec(spec, options)), "") << item["name"] << " chunk " << chunk;
    }
    ReadOptions exact;
    exact.tuning.quick_path = false;
    EXPECT_EQ(Difference(whole, ReadSpec(spec, exact)), "") << item["name"];
  }
}

}  // namespace
}  // namespace mutirao::formats::csv
