// Runs the cases of tests/plans: <rule>/<case>.plan holds frames as YAML, the explained plan before, and after the rule
// ("all": after Optimize). MUTIRAO_UPDATE=1 writes what comes out into the files.
#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "frame/optimizer/optimizer.h"
#include "frame/plan/explain.h"
#include "frame/plan/known_tables_test.h"
#include "frame/plan/plan_json.h"

namespace mutirao::frame {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kBefore = "\n--- before\n";
constexpr std::string_view kAfter = "\n--- after\n";

fs::path PlansFolder() {
  return fs::path(MUTIRAO_SOURCE_DIR) / "tests" / "plans";
}

std::vector<std::string> CaseNames() {
  std::vector<std::string> names;
  for (const auto& entry : fs::recursive_directory_iterator(PlansFolder())) {
    if (entry.path().extension() == ".plan") names.push_back(fs::relative(entry.path(), PlansFolder()).string());
  }
  std::sort(names.begin(), names.end());
  return names;
}

std::string ReadText(const fs::path& path) {
  std::stringstream text;
  text << std::ifstream(path).rdbuf();
  return text.str();
}

// The plans of the frames that `# roots: a, b` names; of the last frame without such a line.
std::vector<PlanPtr> Roots(const std::string& yaml, const BuiltFrames& built) {
  std::vector<PlanPtr> roots;
  constexpr std::string_view kMark = "# roots:";
  size_t mark = yaml.find(kMark);
  if (mark == std::string::npos) return {built.plans.at(std::prev(built.document.value().end()).key())};
  std::stringstream names(yaml.substr(mark + kMark.size(), yaml.find('\n', mark) - mark - kMark.size()));
  for (std::string name; names >> name;) roots.push_back(built.plans.at(name));
  return roots;
}

class GoldenPlans : public testing::TestWithParam<std::string> {};

TEST_P(GoldenPlans, AreAsWritten) {
  fs::path path = PlansFolder() / GetParam();
  std::string text = ReadText(path);
  std::string yaml = text.substr(0, text.find(kBefore));
  while (yaml.ends_with('\n')) yaml.pop_back();
  BuiltFrames built = BuildFromYaml(yaml + "\n");
  ASSERT_TRUE(built.errors.empty()) << built.Faults();
  std::vector<PlanPtr> before = Roots(yaml, built);

  std::string rule = fs::path(GetParam()).begin()->string();
  auto after = rule == "all" ? Optimize(before) : ApplyRule(rule, before);
  ASSERT_TRUE(after.ok()) << after.status().ToString();
  ASSERT_EQ(after->size(), before.size());
  for (size_t i = 0; i < before.size(); ++i) {
    EXPECT_EQ(SchemaToJson(*(*after)[i]->schema()), SchemaToJson(*before[i]->schema())) << "a rewrite keeps the schema";
  }
  auto again = rule == "all" ? Optimize(*after) : ApplyRule(rule, *after);
  ASSERT_TRUE(again.ok()) << again.status().ToString();
  EXPECT_EQ(*again, *after) << "a rewritten plan has nothing left to rewrite";

  std::string actual =
      yaml + std::string(kBefore) + ExplainPlan(before) + std::string(kAfter.substr(1)) + ExplainPlan(*after);
  const char* update = std::getenv("MUTIRAO_UPDATE");
  if (update != nullptr && std::string_view(update) == "1") {
    std::ofstream(path) << actual;
  } else {
    EXPECT_EQ(actual, text) << "MUTIRAO_UPDATE=1 frame_test --gtest_filter='*GoldenPlans*' rewrites " << path;
  }
}

INSTANTIATE_TEST_SUITE_P(Rules, GoldenPlans, testing::ValuesIn(CaseNames()), [](const auto& info) {
  std::string name = info.param;
  std::replace_if(
      name.begin(), name.end(), [](char c) { return !std::isalnum(static_cast<unsigned char>(c)); }, '_');
  return name;
});

TEST(GoldenPlansFolder, HasCasesForEveryRule) {
  for (const Rule* rule : AllRules()) {
    EXPECT_TRUE(fs::is_directory(PlansFolder() / rule->name())) << rule->name();
  }
}

}  // namespace
}  // namespace mutirao::frame
