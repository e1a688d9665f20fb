// Runs tests/frames/*.test: tables, the steps of a frame, the table that must come out, and the rows set aside.
#include <filesystem>
#include <fstream>
#include <map>
#include <mutex>
#include <sstream>
#include <utility>

#include "base/document.h"
#include "engine/testing/engine_fixture.h"
#include "engine/testing/json_table.h"
#include "frame/optimizer/optimizer.h"
#include "frame/plan/frames_builder.h"

namespace mutirao::engine {
namespace {

std::vector<std::string> TextFiles() {
  std::vector<std::string> files;
  for (const auto& entry : std::filesystem::directory_iterator(MUTIRAO_SOURCE_DIR "/tests/frames")) {
    if (entry.path().extension() == ".test") files.push_back(entry.path().string());
  }
  std::sort(files.begin(), files.end());
  return files;
}

// The same plan with scans that keep the order of their rows, so that results can be compared row by row.
// Shared nodes stay shared.
using Ordered = std::map<const frame::PlanNode*, frame::PlanPtr>;
Result<frame::PlanPtr> InOrderOfRows(const frame::PlanPtr& node, Ordered& known) {
  if (const auto found = known.find(node.get()); found != known.end()) return found->second;
  if (node->kind() == frame::NodeKind::kScan) {
    return known[node.get()] = MUTIRAO_TRY(frame::MakeScan(static_cast<const frame::ScanNode&>(*node).source, true));
  }
  std::vector<frame::PlanPtr> inputs;
  for (const frame::PlanPtr& input : node->inputs()) {
    frame::PlanPtr ordered = MUTIRAO_TRY(InOrderOfRows(input, known));
    inputs.push_back(std::move(ordered));
  }
  return known[node.get()] = MUTIRAO_TRY(frame::WithInputs(node, std::move(inputs)));
}

// The plan of frame "out", which starts from table "in" unless the case says frames itself.
Result<frame::PlanPtr> BuildCase(const Json& tables, const Json& test, const std::string& prefix) {
  static frame::FormatRegistry registry = [] {
    frame::FormatRegistry made;
    testing::RegisterMemory(made);
    return made;
  }();
  Json frames = Json::object();
  for (const auto& [name, table] : tables.items()) {
    BatchPtr batch = MUTIRAO_TRY(testing::BatchFromJson(table).Context("table " + name));
    std::vector<BatchPtr> batches;
    for (int64_t at = 0; at < batch->num_rows(); at += 2) batches.push_back(batch->Slice(at, 2));
    testing::MemoryTables::Get().Put(prefix + name, batches);
    Json read = {{"memory", prefix + name}, {"schema", frame::SchemaToJson(*batch->schema())}};
    frames[name] = {{"read", read}, {"steps", Json::array()}};
  }
  if (test.contains("frames")) {
    for (const auto& [name, frame] : test["frames"].items()) frames[name] = frame;
  }
  frames["out"] = frames.at("in");
  for (const Json& step : test.at("steps")) frames["out"]["steps"].push_back(step);
  frame::FramesContext context;
  context.registry = &registry;
  Diagnostics errors;
  auto plans = frame::BuildFrames(frames, "", context, errors).plans;
  MUTIRAO_TRY(errors.ToStatus());
  Ordered known;
  return InOrderOfRows(plans.at("out"), known);
}

// Keeps "reason: row" of every row that was set aside.
class Recorder : public frame::QuarantineSink {
 public:
  Status Add(frame::QuarantinedRow row) override {
    const std::lock_guard lock(mutex_);
    rows_.push_back(row.reason + ": " + row.raw);
    return {};
  }
  std::vector<std::string> TakeSorted() {
    std::sort(rows_.begin(), rows_.end());
    return std::exchange(rows_, {});
  }

 private:
  std::mutex mutex_;
  std::vector<std::string> rows_;
};

// What two runs of a case set aside.
std::vector<std::string> TwiceSorted(const Json& rows) {
  std::vector<std::string> twice;
  for (const Json& row : rows) twice.insert(twice.end(), 2, row.get<std::string>());
  std::sort(twice.begin(), twice.end());
  return twice;
}

void RunCase(const Json& tables, const Json& test, const std::string& name) {
  SCOPED_TRACE(name);
  auto plan = BuildCase(test.contains("tables") ? test["tables"] : tables, test, name + "/");
  if (test.contains("error")) {
    const Status status = plan.ok() ? Collect(*plan).status() : plan.status();
    EXPECT_NE(status.ToString().find(test["error"].get<std::string>()), std::string::npos) << status.ToString();
    return;
  }
  ASSERT_TRUE(plan.ok()) << plan.status().ToString();
  const BatchPtr expect = MUTIRAO_MUST(testing::BatchFromJson(test.at("expect")));
  const bool any_order = test.value("any_order", Json(false)).get<bool>();
  const auto want = testing::RowsOf({expect}, any_order);
  const frame::PlanPtr optimized = MUTIRAO_MUST(frame::Optimize({*plan}))[0];
  for (const frame::PlanPtr& form : {*plan, optimized}) {
    EXPECT_TRUE(form->schema()->Equals(*expect->schema(), false))
        << "gives " << form->schema()->ToString() << "\nexpected " << expect->schema()->ToString();
    Recorder recorder;
    EXPECT_EQ(testing::Rows(form, any_order, &recorder), want) << (form == optimized ? "optimised" : "as written");
    EXPECT_EQ(recorder.TakeSorted(), TwiceSorted(test.value("quarantine", Json::array())));
  }
}

TEST(FramesText, GiveTheTablesTheyExpect) {
  const auto files = TextFiles();
  ASSERT_FALSE(files.empty());
  for (const std::string& file : files) {
    SCOPED_TRACE(file);
    std::ifstream in(file);
    std::stringstream text;
    text << in.rdbuf();
    auto document = Document::Parse(file, text.str());
    ASSERT_TRUE(document.ok()) << document.status().ToString();
    const Json& value = document->value();
    for (const auto& [name, test] : value.at("cases").items()) {
      RunCase(value.value("tables", Json::object()), test, std::filesystem::path(file).stem().string() + "/" + name);
    }
  }
}

}  // namespace
}  // namespace mutirao::engine
