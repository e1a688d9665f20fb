#include "orchestration/daemon/job_catalog.h"

#include <filesystem>
#include <fstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/id.h"
#include "orchestration/daemon/rerun.h"

namespace mutirao::orchestration {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

class JobCatalogTest : public testing::Test {
 protected:
  void SetUp() override {
    root_ = testing::TempDir() + "mutirao-catalog-XXXXXX";
    ASSERT_NE(mkdtemp(root_.data()), nullptr);
    std::filesystem::create_directories(root_ + "/jobs");
    Write("mutirao.yaml", "name: p\n");
  }
  void TearDown() override { std::filesystem::remove_all(root_); }

  // By another file each time, as editors do, so that it counts as changed however coarse times are.
  void Write(const std::string& name, const std::string& text) {
    const std::string path = root_ + "/" + name;
    std::ofstream(path + ".new") << text;
    std::filesystem::rename(path + ".new", path);
  }
  static std::string Job(const std::string& name, const std::string& more = "") {
    return "name: " + name + "\nops: {a: {command: [\"true\"]}}\n" + more;
  }
  std::vector<std::string> Names() {
    std::vector<std::string> names;
    for (const auto& job : catalog().files()->jobs) names.push_back(job->def.name);
    return names;
  }
  JobCatalog& catalog() {
    if (!catalog_) catalog_ = std::make_unique<JobCatalog>(root_, Environment());
    return *catalog_;
  }

  std::string root_;
  std::unique_ptr<JobCatalog> catalog_;
};

TEST_F(JobCatalogTest, FollowsFiles) {
  Write("jobs/a.yaml", Job("a"));
  EXPECT_TRUE(catalog().Refresh());
  EXPECT_THAT(Names(), ElementsAre("a"));
  EXPECT_FALSE(catalog().Refresh());
  Write("jobs/b.yml", Job("b"));
  Write("jobs/a.yaml", Job("a2"));
  EXPECT_TRUE(catalog().Refresh());
  EXPECT_THAT(Names(), ElementsAre("a2", "b"));
  std::filesystem::remove(root_ + "/jobs/a.yaml");
  EXPECT_TRUE(catalog().Refresh());
  EXPECT_THAT(Names(), ElementsAre("b"));
}

TEST_F(JobCatalogTest, KeepsWhatWasRightWhenAFileGoesWrong) {
  Write("jobs/a.yaml", Job("a"));
  catalog().Refresh();
  for (const char* broken : {"name: [", "name: a\nopss: {}\n", ""}) {
    Write("jobs/a.yaml", broken);
    EXPECT_TRUE(catalog().Refresh());
    EXPECT_THAT(Names(), ElementsAre("a")) << broken;
    ASSERT_FALSE(catalog().files()->faults.empty()) << broken;
    EXPECT_THAT(catalog().files()->faults[0], HasSubstr("a.yaml")) << broken;
  }
  Write("jobs/a.yaml", Job("a", "description: right again\n"));
  EXPECT_TRUE(catalog().Refresh());
  EXPECT_TRUE(catalog().files()->faults.empty());
}

TEST_F(JobCatalogTest, RefusesTwoOfOneName) {
  Write("jobs/a.yaml", Job("same"));
  Write("jobs/b.yaml", Job("same"));
  catalog().Refresh();
  EXPECT_THAT(Names(), ElementsAre("same"));
  ASSERT_EQ(catalog().files()->faults.size(), 1U);
  EXPECT_THAT(catalog().files()->faults[0], HasSubstr("b.yaml has the name of the job in"));
}

TEST_F(JobCatalogTest, FollowsSettings) {
  Write("mutirao.yaml", "queue: {max_runs: 3}\n");
  catalog().Refresh();
  EXPECT_EQ(catalog().files()->instance.queue.max_runs, 3);
  Write("mutirao.yaml", "queue: {max_runs: many}\n");
  EXPECT_TRUE(catalog().Refresh());
  EXPECT_EQ(catalog().files()->instance.queue.max_runs, 3);
  EXPECT_THAT(catalog().files()->faults[0], HasSubstr("mutirao.yaml"));
  Write("mutirao.yaml", "queue: {max_runs: 4}\n");
  catalog().Refresh();
  EXPECT_EQ(catalog().files()->instance.queue.max_runs, 4);
  EXPECT_TRUE(catalog().files()->faults.empty());
}

TEST_F(JobCatalogTest, MakesRunsOfItsJobs) {
  Write("jobs/a.yaml", Job("a", "params: {uf: {type: string}}\n"));
  const std::string path = root_ + "/jobs/a.yaml";
  EXPECT_THAT(MakeLaunch(path, root_, Json::object(), {}, {}).status().ToString(), HasSubstr("\"uf\""));
  const Json request = {{"params", {"uf=SP"}}};
  const NewRun run = MUTIRAO_MUST(MakeLaunch(path, root_, request, {}, {}));
  EXPECT_EQ(run.job, "a");
  EXPECT_EQ(run.project_root, root_);
  EXPECT_THAT(MakeLaunch(path, root_, {{"params", {"ufo=SP"}}}, {}, {}).status().ToString(), HasSubstr("ufo"));
  EXPECT_EQ(MakeLaunch(root_ + "/jobs/none.yaml", root_, {}, {}, {}).status().code(), StatusCode::kInvalid);

  RunRow parent{.spec = run, .state = RunState::kRunning};
  EXPECT_THAT(MakeRerun(parent, {}, {}, {}).status().ToString(), HasSubstr("has not ended"));
  parent.state = RunState::kSucceeded;
  EXPECT_THAT(MakeRerun(parent, {.from_failure = true}, {}, {}).status().ToString(), HasSubstr("nothing of run"));
  parent.state = RunState::kFailed;
  parent.spec.tags = {{"team", "data"}, {"mutirao/schedule", "a.s"}};
  parent.spec.tick = TickKey{"a", "s", {}};
  const NewRun again = MUTIRAO_MUST(MakeRerun(parent, {.from_failure = true}, {}, {}));
  EXPECT_NE(again.id, run.id);
  EXPECT_EQ(again.parent_id, run.id);
  EXPECT_EQ(again.root_id, run.id);
  EXPECT_TRUE(FromFailure(again.request));
  EXPECT_EQ(again.request["params"], request["params"]);
  EXPECT_EQ(again.tags, Json({{"team", "data"}}));
  EXPECT_FALSE(again.tick);
  parent.spec = again;
  const NewRun third = MUTIRAO_MUST(MakeRerun(parent, {.only = {"a"}}, {}, {}));
  EXPECT_EQ(third.root_id, run.id);
  EXPECT_FALSE(FromFailure(third.request));
  EXPECT_EQ(OnlyOf(third.request), std::vector<std::string>{"a"});
  EXPECT_FALSE(MakeRerun(parent, {.only = {"nothing"}}, {}, {}).ok());
}

}  // namespace
}  // namespace mutirao::orchestration
