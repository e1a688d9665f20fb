// Runs tests/frames/*.test: tables, the steps of a frame, and the table that must come out.
#include <filesystem>
#include <fstream>
#include <sstream>

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
Result<frame::PlanPtr> InOrderOfRows(const frame::PlanPtr& node) {
  if (node->kind() == frame::NodeKind::kScan) {
    return frame::MakeScan(static_cast<const frame::ScanNode&>(*node).source, true);
  }
  std::vector<frame::PlanPtr> inputs;
  for (const frame::PlanPtr& input : node->inputs()) {
    frame::PlanPtr ordered = MUTIRAO_TRY(InOrderOfRows(input));
    inputs.push_back(std::move(ordered));
  }
  return frame::WithInputs(node, std::move(inputs));
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
  auto plans = frame::BuildFrames(frames, "", context, errors);
  MUTIRAO_TRY(errors.ToStatus());
  return InOrderOfRows(plans.at("out"));
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
    EXPECT_EQ(testing::Rows(form, any_order), want) << (form == optimized ? "optimised" : "as written");
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
