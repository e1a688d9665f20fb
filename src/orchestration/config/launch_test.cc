#include "orchestration/config/launch.h"

#include <gtest/gtest.h>

#include "orchestration/config/variables.h"
#include "orchestration/definition/parse_job.h"

namespace mutirao::orchestration {
namespace {

using Map = std::map<std::string, std::string>;

JobDef TestJob() {
  Diagnostics errors;
  JobDef job = ParseJob(Json::parse(R"({"name": "j",
      "params": {"uf": {"type": "list<string>", "default": ["SP"], "allowed": ["SP", "RJ"]},
                 "n": {"type": "int64", "default": 1}, "day": {"type": "date"}},
      "resources": {"compute": {"type": "cluster", "config": {"n_workers": 2, "region": "x"}, "locked": ["region"]}},
      "ops": {"go": {"command": ["ls"], "config": {"a": {"b": 1, "c": 2}}}}})"),
                        errors);
  MUTIRAO_CHECK(errors.empty());
  return job;
}

LaunchConfig Resolve(const std::vector<ConfigLayer>& layers, std::string* faults = nullptr) {
  std::vector<ConfigFault> found;
  LaunchConfig launch = ResolveLaunch(TestJob(), layers, found);
  std::string text;
  for (const ConfigFault& fault : found) text += fault.origin + ": " + fault.diagnostic.message + "\n";
  if (faults) {
    *faults = text;
  } else {
    EXPECT_EQ(text, "");
  }
  return launch;
}

ConfigLayer FileLayer(const char* values) {
  return {.origin = "file", .values = Json::parse(values)};
}

TEST(Launch, TakesDefaultsOfTheJob) {
  LaunchConfig launch = Resolve({});
  EXPECT_EQ(launch.params["uf"].value.dump(), "[\"SP\"]");
  EXPECT_EQ(launch.params["uf"].origin, "job");
  EXPECT_EQ(launch.missing, std::vector<std::string>{"day"});
}

TEST(Launch, TakesMemoryFromTheHighestLayer) {
  EXPECT_FALSE(Resolve({}).memory);
  const ConfigLayer file = FileLayer(R"({"memory": "1 GiB", "spill_dir": "scratch"})");
  LaunchConfig launch = Resolve({file, LayerFromFlag("--memory", "memory", "512MiB")});
  EXPECT_EQ(launch.memory->value, 512 << 20);
  EXPECT_EQ(launch.memory->origin, "--memory");
  EXPECT_EQ(launch.spill_dir->value, "scratch");
  EXPECT_EQ(Resolve({file}).memory->origin, "file");
  const Environment environment(Map{{"MUTIRAO__MEMORY", "2GiB"}});
  EXPECT_EQ(Resolve(LayersFromEnvironment(environment, TestJob())).memory->value, int64_t{2} << 30);
}

TEST(Launch, RefusesBadMemory) {
  for (const char* size : {"2 gigs", "0GiB", "1MiB"}) {
    std::string faults;
    EXPECT_FALSE(Resolve({LayerFromFlag("--memory", "memory", size)}, &faults).memory);
    EXPECT_EQ(std::count(faults.begin(), faults.end(), '\n'), 1) << faults;
    EXPECT_NE(faults.find("--memory: "), std::string::npos) << faults;
  }
}

TEST(Launch, PutsTheInstanceBelowTheJobAndFlagsAboveAll) {
  ConfigLayer instance = FileLayer(R"({"params": {"n": 7, "day": "2026-01-01", "of_another_job": 1}})");
  instance.origin = "mutirao.yaml";
  instance.for_all_jobs = true;
  LaunchConfig launch =
      Resolve({instance, FileLayer(R"({"params": {"uf": ["RJ"]}})"), MUTIRAO_MUST(LayerFromParam("uf=SP,RJ"))});
  EXPECT_EQ(launch.params["n"].origin, "job");
  EXPECT_EQ(launch.params["day"].origin, "mutirao.yaml");
  EXPECT_EQ(launch.params["uf"].value.dump(), "[\"SP\",\"RJ\"]");
  EXPECT_EQ(launch.params["uf"].origin, "-p");
}

TEST(Launch, MergesConfigDeeplyAndKnowsWhoGaveWhat) {
  LaunchConfig launch = Resolve({FileLayer(R"({"ops": {"go": {"config": {"a": {"b": 5}, "d": 1}}}})"),
                                 MUTIRAO_MUST(LayerFromSet("resources.compute.config.n_workers=8"))});
  EXPECT_EQ(launch.ops["go"].dump(), R"({"a":{"b":5,"c":2},"d":1})");
  EXPECT_EQ(launch.op_origins["go"]["/a/b"], "file");
  EXPECT_EQ(launch.op_origins["go"]["/a/c"], "job");
  EXPECT_EQ(launch.resources["compute"]["n_workers"], 8);
  EXPECT_EQ(launch.resource_origins["compute"]["/n_workers"], "--set");
}

TEST(Launch, FindsNamesOfTheEnvironmentInAnyCase) {
  Environment environment(
      {{"MUTIRAO__PARAMS__N", "4"}, {"MUTIRAO__RESOURCES__COMPUTE__CONFIG__N_WORKERS", "3"}, {"MUTIRAO_SIMD", "x"}});
  LaunchConfig launch = Resolve(LayersFromEnvironment(environment, TestJob()));
  EXPECT_EQ(launch.params["n"].value, 4);
  EXPECT_EQ(launch.params["n"].origin, "environment MUTIRAO__PARAMS__N");
  EXPECT_EQ(launch.resources["compute"]["n_workers"], 3);
}

TEST(Launch, TellsEveryFaultWithItsOrigin) {
  std::string faults;
  Resolve({FileLayer(R"({"params": {"ufs": 1, "n": "x", "uf": ["MG"]}, "resorces": {}})"),
           MUTIRAO_MUST(LayerFromSet("resources.compute.config.region=y")),
           MUTIRAO_MUST(LayerFromSet("resources.compute.config.provider=colied"))},
          &faults);
  EXPECT_EQ(faults,
            "file: unknown key \"resorces\" in launch config\n"
            "file: job j has no param \"ufs\"\n"
            "file: param \"uf\" does not take \"MG\"\n"
            "file: param \"n\" expects int64, not \"x\"\n"
            "--set: region of compute is locked by job j\n"
            "--set: there is no cluster provider \"colied\"\n");
}

TEST(Launch, RefusesPathsThatSetNothing) {
  for (const char* text : {"params", "=1", "x.y=1", "params.a.b=1", "resources.compute.n_workers=1"}) {
    EXPECT_FALSE(LayerFromSet(text).ok()) << text;
  }
  EXPECT_FALSE(LayerFromParam("x").ok());
}

TEST(Variables, ReplacesByTextAndKeepsTypesOfValuesThatStandAlone) {
  Environment environment(Map{{"HOME", "/root"}});
  Variables variables(&environment);
  variables.Set("n", 5);
  variables.Set("uf", Json::array({"SP", "RJ"}));
  Diagnostics errors;
  EXPECT_EQ(variables.ExpandText("a/${n}/${uf}/${env.HOME}/$${n}", "", errors), "a/5/SP,RJ//root/${n}");
  EXPECT_EQ(
      variables.Expand(Json::parse(R"({"limit": "${n}", "by": ["${uf}", "x${n}"], "k": true})"), "", errors).dump(),
      R"({"limit":5,"by":[["SP","RJ"],"x5"],"k":true})");
  EXPECT_TRUE(errors.empty());
  variables.ExpandText("ab ${m} ${run.partition} ${env.HOMEE}", "/p", errors);
  ASSERT_EQ(errors.size(), 3u);
  EXPECT_EQ(errors.list()[0].span, (TextSpan{3, 7}));
  EXPECT_EQ(errors.list()[2].help, "did you mean \"HOME\"?");
}

TEST(Environment, ReadsDotEnvBelowWhatIsSet) {
  Environment environment(Map{{"SET", "process"}});
  EXPECT_TRUE(environment.AddDotEnv("# c\nSET=file\nexport A = b c # note\nQ='x # y'\nD=\"l1\\nl2\\\"\"\r\nE=\n").ok());
  EXPECT_EQ(*environment.Find("SET"), "process");
  EXPECT_EQ(*environment.Find("A"), "b c");
  EXPECT_EQ(*environment.Find("Q"), "x # y");
  EXPECT_EQ(*environment.Find("D"), "l1\nl2\"");
  EXPECT_EQ(*environment.Find("E"), "");
  EXPECT_FALSE(environment.AddDotEnv("A=1\nno value\n").ok());
  EXPECT_FALSE(environment.AddDotEnv("A='x").ok());
  EXPECT_FALSE(environment.AddDotEnv("1A=x").ok());
}

TEST(Environment, KnowsNamesOfSecrets) {
  for (const char* name : {"DB_PASSWORD", "api_token", "AWS_SECRET_ACCESS_KEY", "SSH_KEY", "MY_PASS"})
    EXPECT_TRUE(LooksSecret(name)) << name;
  for (const char* name : {"HOME", "MONKEY", "COMPASS", "PATH"}) EXPECT_FALSE(LooksSecret(name)) << name;
}

}  // namespace
}  // namespace mutirao::orchestration
