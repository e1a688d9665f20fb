#include "orchestration/definition/op_graph.h"

#include <fmt/format.h>
#include <gmock/gmock.h>

#include "orchestration/definition/parse_job.h"

namespace mutirao::orchestration {
namespace {

// "c:a,b" is op c after a and b.
JobDef Graph(const std::vector<std::string>& ops) {
  JobDef job{.name = "job"};
  for (const std::string& text : ops) {
    OpDef op{.name = text.substr(0, text.find(':')), .pointer = "/ops/x"};
    for (size_t at = text.find(':'); at != std::string::npos; at = text.find(',', at + 1)) {
      op.after.push_back(text.substr(at + 1, text.find(',', at + 1) - at - 1));
    }
    job.ops.push_back(std::move(op));
  }
  return job;
}

std::string Order(const JobDef& job) {
  std::string names;
  for (const OpDef* op : InOrder(job)) names += op->name;
  return names;
}

std::string Selected(const JobDef& job, const std::vector<std::string>& selection) {
  Result<std::set<std::string>> chosen = SelectOps(job, selection);
  return chosen.ok() ? fmt::format("{}", fmt::join(*chosen, "")) : chosen.status().help();
}

TEST(OpGraph, PutsOpsBehindThoseTheyAreAfter) {
  EXPECT_EQ(Order(Graph({"d:b,c", "b:a", "c:a", "a"})), "abcd");
  EXPECT_EQ(Order(Graph({"x", "y", "z"})), "xyz") << "independent ops keep the order of the file";
}

TEST(OpGraph, TellsEachCycleOnce) {
  Diagnostics errors;
  CheckCycles(Graph({"a:c", "b:a", "c:b", "d:a", "e:e"}), errors);
  ASSERT_EQ(errors.size(), 2u);
  EXPECT_EQ(errors.list()[0].message, "the ops wait for each other: a after c after b after a");
  EXPECT_EQ(errors.list()[1].message, "the ops wait for each other: e after e");
}

TEST(OpGraph, SelectsByTheGrammarOfOnly) {
  JobDef job = Graph({"a", "b:a", "c:b", "d"});
  EXPECT_EQ(Selected(job, {}), "abcd");
  EXPECT_EQ(Selected(job, {"b"}), "b");
  EXPECT_EQ(Selected(job, {"b+"}), "bc");
  EXPECT_EQ(Selected(job, {"+b"}), "ab");
  EXPECT_EQ(Selected(job, {"+b+"}), "abc");
  EXPECT_EQ(Selected(job, {"a,d"}), "ad");
  EXPECT_EQ(Selected(job, {"a", "c"}), "ac");
  EXPECT_EQ(Selected(job, {"+c, d"}), "abcd");
  EXPECT_EQ(Selected(job, {"wxyz"}), "the ops are a, b, c, d");
}

TEST(OpGraph, TellsItsGrammarToWhoWritesAnother) {
  JobDef job = Graph({"a", "b:a"});
  for (const char* term : {"", "a,", "a++", "++b", "1+b", "a+1", "*b", "a*", "+", "++", "a+b"}) {
    Status refused = SelectOps(job, {term}).status();
    EXPECT_EQ(refused.code(), StatusCode::kInvalid) << term;
    EXPECT_THAT(refused.help(), testing::StartsWith("`op+` is the op and all ops after it")) << term;
  }
}

TEST(OpGraph, SelectsByTags) {
  Diagnostics errors;
  JobDef job = ParseJob(Json::parse(R"({"name": "j", "ops": {
      "a": {"command": ["x"], "tags": {"kind": "etl", "n": 1}}, "b": {"command": ["x"], "tags": {"kind": "ml"}, "after": ["a"]},
      "c": {"command": ["x"], "tags": {"kind": "etl"}}, "d": {"command": ["x"]}}})"),
                        errors);
  EXPECT_EQ(Selected(job, {"tag:kind=etl"}), "ac");
  EXPECT_EQ(Selected(job, {"tag:kind"}), "abc");
  EXPECT_EQ(Selected(job, {"tag:n=1+"}), "ab");
  EXPECT_EQ(Selected(job, {"+tag:kind=ml", "d"}), "abd");
  EXPECT_EQ(Selected(job, {"tag:kind=etx"}), "did you mean \"kind=etl\"?");
  EXPECT_EQ(Selected(job, {"tag:wholly-other"}), "the tags of its ops are kind=etl, kind=ml, n=1");
}

TEST(OpGraph, OrdersByInputsToo) {
  Diagnostics errors;
  JobDef job = ParseJob(Json::parse(R"({"name": "j", "ops": {
      "c": {"command": ["x"], "in": {"n": "b.count"}},
      "b": {"command": ["x"], "in": {"rows": "a.t"}, "after": ["a"]},
      "a": {"frames": {"t": {"read": {"csv": "x"}}}, "write": [{"frame": "t", "csv": "y"}]},
      "d": {"frames": {"t": {"read": {"dataset": "a.t"}}}, "write": [{"frame": "t", "csv": "z"}]}}})"),
                        errors);
  ASSERT_TRUE(errors.empty()) << errors.ToStatus().ToString();
  std::string order;
  for (const OpDef* op : InOrder(job)) order += op->name;
  EXPECT_EQ(order, "abcd");
  EXPECT_EQ(Ancestors(job, "c"), (std::set<std::string>{"a", "b"}));
  EXPECT_EQ(job.FindOp("b")->after, std::vector<std::string>{"a"});
}

TEST(ParseJob, FindsInputsThatAreNotThere) {
  auto fault = [](const std::string& ops) {
    Diagnostics errors;
    ParseJob(Json::parse(R"({"name": "j", "ops": )" + ops + "}"), errors);
    return errors.empty() ? ""
                          : errors.list()[0].pointer + ": " + errors.list()[0].message + "; " + errors.list()[0].help;
  };
  const std::string load =
      R"("load": {"frames": {"t": {"read": {"csv": "x"}}}, "write": [{"frame": "t", "csv": "y"}]})";
  EXPECT_EQ(fault("{" + load + R"(, "a": {"command": ["x"], "in": {"r": "lod.t"}}})"),
            "/ops/a/in/r: there is no op \"lod\" in this job; did you mean \"load\"?");
  EXPECT_EQ(fault("{" + load + R"(, "a": {"command": ["x"], "in": {"r": "load.u"}}})"),
            "/ops/a/in/r: op \"load\" writes no frame \"u\"; did you mean \"t\"?");
  EXPECT_EQ(
      fault(R"({"a": {"command": ["x"], "in": {"r": "a.x"}}})"),
      "/ops/a/in/r: op \"a\" cannot take its own output; name an op that runs before it, or read from a frame with "
      "from:");
  EXPECT_EQ(fault(R"({"a": {"command": ["x"], "in": {"r": "b.x"}}, "b": {"command": ["x"], "in": {"r": "a.x"}}})"),
            "/ops/b/in/r: the ops wait for each other: a after b after a; take one of them out of `after` or `in`");
  EXPECT_EQ(fault(R"({"a": {"command": ["x"], "in": {"r": "b"}}})"),
            "/ops/a/in/r: \"b\" does not name an output of an op; write the op and its output: load.active");
  EXPECT_EQ(fault(R"({"a": {"command": ["x"], "in": {"r-s": "b.c"}}, "b": {"command": ["x"]}})").substr(0, 12),
            "/ops/a/in/r-");
  EXPECT_EQ(
      fault("{" + load +
            R"(, "b": {"frames": {"t": {"read": {"dataset": "load.u"}}}, "write": [{"frame": "t", "csv": "z"}]}})"),
      "/ops/b/frames/t/read/dataset: op \"load\" writes no frame \"u\"; did you mean \"t\"?");
  EXPECT_EQ(fault(R"({"a": {"command": ["x"], "extras": {"in": 1}, "in": {"r": "b.x"}}, "b": {"command": ["x"]}})")
                .substr(0, 16),
            "/ops/a/extras/in");
}

TEST(ParseJob, ReadsEveryPartOfAnOp) {
  Diagnostics errors;
  JobDef job = ParseJob(Json::parse(R"({"name": "j", "ops": {
      "a": {"command": ["ls"]},
      "b": {"after": ["a"], "command": ["ls", 1], "timeout": "1m", "config": {"x": 1}, "tags": {"k": "v"},
            "retry": {"max": 2, "delay": "10s", "backoff": "exponential", "jitter": "plus_minus", "max_delay": "1m",
                      "on": ["infrastructure"]}}}})"),
                        errors);
  ASSERT_TRUE(errors.empty()) << errors.ToStatus().ToString();
  const OpDef& op = job.ops[1];
  EXPECT_EQ(op.after, std::vector<std::string>{"a"});
  EXPECT_EQ(op.timeout, Duration(60'000));
  EXPECT_EQ(op.retry.max, 2);
  EXPECT_EQ(op.retry.delay, Duration(10'000));
  EXPECT_EQ(op.retry.backoff, Backoff::kExponential);
  EXPECT_EQ(op.retry.jitter, Jitter::kPlusMinus);
  EXPECT_EQ(op.retry.max_delay, Duration(60'000));
  EXPECT_EQ(op.retry.on, std::vector<FailureCategory>{FailureCategory::kInfrastructure});
  EXPECT_EQ(op.config["x"], 1);
}

TEST(ParseJob, SurvivesAnyShape) {
  for (const char* text :
       {"null", "[]", "1", R"({"ops": 1})", R"({"ops": {"a": null}})", R"({"params": {"a": {"type": 1}}})",
        R"({"ops": {"a": {"after": [1], "retry": {"max": "x"}, "command": [[]]}}})",
        R"({"schedules": [1, {"name": 1, "cron": []}], "resources": {"": {"locked": {}}}})"}) {
    Diagnostics errors;
    ParseJob(Json::parse(text), errors);
    EXPECT_FALSE(errors.empty()) << text;
  }
}

}  // namespace
}  // namespace mutirao::orchestration
