#include "frame/plan/frames_builder.h"

#include <arrow/scalar.h>
#include <arrow/type.h>
#include <gtest/gtest.h>

#include "frame/plan/explain.h"
#include "frame/plan/known_tables_test.h"
#include "frame/plan/plan_json.h"

namespace mutirao::frame {
namespace {

std::string FaultsOf(std::string_view yaml) {
  return BuildFromYaml(yaml).Faults();
}

// The faults of one frame over establishments with these steps; pointers are shortened by "/out/steps".
std::string StepFaults(std::string_view steps) {
  std::string yaml = "out:\n  read: {table: establishments}\n  steps:\n" + std::string(steps) + "\n";
  std::string faults = FaultsOf(yaml);
  for (size_t at = 0; (at = faults.find("/out/steps", at)) != std::string::npos;) faults.erase(at, 10);
  return faults;
}

std::string Columns(const PlanPtr& plan) {
  return plan->schema()->ToString();
}

TEST(BuildFrames, BuildsEveryStepOfAJob) {
  auto built = BuildFromYaml(R"(
companies:
  read: {table: companies}
  steps:
    - select: [cnpj_basico, razao_social, {capital: capital_social * 2}]
active:
  read: {table: establishments}
  steps:
    - filter: situacao = '02'
    - derive: {data: cast(data as date), one: 1}
    - rename: {municipio: town}
    - drop: [score, one]
    - join: {with: companies, on: cnpj_basico, how: left}
    - distinct: true
    - sort: [uf, -capital]
    - limit: 10
)");
  ASSERT_TRUE(built.errors.empty()) << built.Faults();
  EXPECT_EQ(built.Explained("active"), R"(limit 10
└─ sort by uf, capital descending
   └─ distinct
      └─ join left on cnpj_basico; hash the right; gives cnpj_basico, uf, situacao, data, cnaes, town, razao_social, capital
         ├─ select cnpj_basico, uf, situacao, data, cnaes, town
         │  └─ select cnpj_basico, uf, situacao, data, cnaes, town = municipio, score, one
         │     └─ derive data = cast(data as date), one = 1
         │        └─ filter situacao = '02'
         │           └─ scan table establishments; all 7 columns
         └─ select cnpj_basico, razao_social, capital = capital_social * decimal(1,0) '2'
            └─ scan table companies; all 5 columns
)");
}

TEST(BuildFrames, SharesAFrameThatTwoOthersUse) {
  auto built = BuildFromYaml(R"(
base: {read: {table: towns}}
a: {from: base, steps: [{limit: 1}]}
b: {from: base, steps: [{union: a}, {union: [base]}]}
)");
  ASSERT_TRUE(built.errors.empty()) << built.Faults();
  EXPECT_EQ(built.plans.at("a")->input(), built.plans.at("base"));
  EXPECT_EQ(built.Explained("b"), R"(union of 2
├─ union of 2
│  ├─ #1 scan table towns; all 2 columns
│  └─ limit 1
│     └─ (see #1)
└─ (see #1)
)");
}

TEST(BuildFrames, SaysWhatIsWrongWithFrames) {
  EXPECT_EQ(FaultsOf("a: {reed: {table: towns}}"),
            "/a/reed (key): unknown key \"reed\"; did you mean \"read\"?\n"
            "/a: a frame has either `read` or `from`; read: {csv: file}, or from: another frame\n");
  EXPECT_EQ(FaultsOf("a: 1"), "/a: a frame is a mapping; {read: …, steps: […]}\n");
  EXPECT_EQ(FaultsOf("[]"), ": expects frames by their names; {name: {read: …, steps: […]}}\n");
  EXPECT_EQ(FaultsOf("a: {read: {tabel: towns}}"),
            "/a/read/tabel (key): \"tabel\" is not a format; did you mean \"table\"?\n");
  EXPECT_EQ(FaultsOf("a: {read: {table: towns, csv: towns}}"),
            "/a/read/csv (key): both \"table\" and \"csv\" name a format; keep one of them\n");
  EXPECT_EQ(FaultsOf("a: {read: {table: towns, enconding: x}}"),
            "/a/read/enconding (key): unknown key \"enconding\"\n");
  EXPECT_EQ(FaultsOf("a: {read: {csv: towns, provenance: true}}"),
            "/a/read/provenance (key): unknown key \"provenance\"\n");
  EXPECT_EQ(FaultsOf("a: {read: {table: towns, preserve_order: 1}}"),
            "/a/read/preserve_order: expects true or false\n");
  EXPECT_EQ(FaultsOf("a: {read: 1}"), "/a/read: expects a mapping; {csv | table: …}\n");
  EXPECT_EQ(FaultsOf("town: {read: {table: towns}}\na: {from: towm}"),
            "/a/from: unknown frame \"towm\"; did you mean \"town\"?\n");
  EXPECT_EQ(FaultsOf("a: {read: {table: towns}, steps: {limit: 1}}"), "/a/steps: expects a list of steps\n");
}

TEST(BuildFrames, ReadsInOrderWhenAsked) {
  auto built = BuildFromYaml(R"(
ordered: {read: {table: towns, preserve_order: true}}
free: {read: {table: towns, preserve_order: false}}
)");
  ASSERT_TRUE(built.errors.empty()) << built.Faults();
  EXPECT_TRUE(static_cast<const ScanNode&>(*built.plans.at("ordered")).preserve_order);
  EXPECT_FALSE(static_cast<const ScanNode&>(*built.plans.at("free")).preserve_order);
}

TEST(BuildFrames, ReportsACycleOnce) {
  EXPECT_EQ(
      FaultsOf("a: {from: b}\nb: {from: c}\nc: {read: {table: towns}, steps: [{union: a}]}\nd: {from: a}"),
      "/c/steps/0/union: frames depend on each other: a → b → c → a; a frame can only use frames that do not use it\n");
  EXPECT_EQ(FaultsOf("a: {from: a}"),
            "/a/from: frames depend on each other: a → a; a frame can only use frames that do not use it\n");
}

TEST(BuildFrames, LeavesOutFaultyFramesAndThoseThatUseThem) {
  auto built = BuildFromYaml(R"(
bad: {read: {table: towns}, steps: [{filter: nome = 1 + }]}
user: {from: bad, steps: [{filter: codigo = 1}]}
good: {read: {table: towns}}
)");
  EXPECT_EQ(built.errors.size(), 1u) << built.Faults();
  EXPECT_TRUE(built.plans.contains("good"));
  EXPECT_FALSE(built.plans.contains("bad"));
  EXPECT_FALSE(built.plans.contains("user"));
}

TEST(BuildFrames, BoundsTheDepthOfFrames) {
  std::string yaml = "f0: {read: {table: towns}}\n";
  for (int i = 1; i < 400; ++i) yaml = "f" + std::to_string(i) + ": {from: f" + std::to_string(i - 1) + "}\n" + yaml;
  EXPECT_NE(FaultsOf(yaml).find("follow each other"), std::string::npos);
  std::string steps = "a:\n  read: {table: towns}\n  steps:\n";
  for (int i = 0; i < 1001; ++i) steps += "    - limit: 1\n";
  EXPECT_EQ(FaultsOf(steps),
            "/a/steps/1000: more than 200 frames or 1000 steps follow each other; write an intermediate dataset\n");
}

TEST(BuildFrames, KeepsProvenanceUpToTheLastQuarantineAndHidesIt) {
  auto built = BuildFromYaml(R"(
a:
  read: {csv: towns}
  steps:
    - quarantine: {when: codigo < 0, reason: negative}
    - select: [nome, {code: codigo}]
    - drop: nome
    - quarantine: {when: code is null}
    - filter: code > 1
)");
  ASSERT_TRUE(built.errors.empty()) << built.Faults();
  const PlanPtr& filter = built.plans.at("a");
  EXPECT_EQ(Columns(filter), "code: int64");
  const PlanPtr& second = filter->input();
  ASSERT_EQ(second->kind(), NodeKind::kQuarantine);
  EXPECT_EQ(static_cast<const QuarantineNode&>(*second).reason, "code is null") << "the condition is the default";
  EXPECT_EQ(second->input()->schema()->num_fields(), 6) << "code and where the row came from";
  Json plan = PlanToJson({filter});
  EXPECT_EQ(plan["nodes"][0]["source"], Json({{"csv", "towns"}, {"provenance", true}}));
}

TEST(BuildFrames, AsksForProvenanceOnlyWhereItReachesAQuarantine) {
  for (const char* steps : {"[]", "[{filter: codigo > 1}]", "[{limit: 3}, {quarantine: {when: codigo < 0}}]"}) {
    auto built = BuildFromYaml(std::string("a: {read: {csv: towns}, steps: ") + steps + "}");
    ASSERT_TRUE(built.errors.empty()) << built.Faults();
    EXPECT_EQ(Columns(built.plans.at("a")), "codigo: int64\nnome: string") << steps;
    EXPECT_FALSE(PlanToJson({built.plans.at("a")})["nodes"][0]["source"].contains("provenance")) << steps;
  }
}

TEST(BuildFrames, UsersCannotNameProvenanceColumns) {
  EXPECT_EQ(FaultsOf(R"(
a:
  read: {csv: towns}
  steps:
    - filter: '"$line" > 1'
    - sort: $line
    - quarantine: {when: codigo < 0}
)"),
            "/a/steps/0/filter [0,7): column \"$line\" is not in towns; columns are codigo, nome\n"
            "/a/steps/1/sort: column \"$line\" is not in towns\n");
  EXPECT_EQ(StepFaults("    - derive: {$raw: 1}"),
            "/0/derive/$raw (key): the name \"$raw\" is reserved; choose another name\n");
}

TEST(BuildStep, SaysWhatIsWrongWithAStep) {
  EXPECT_EQ(StepFaults("    - filtre: uf = 'SP'"),
            "/0/filtre (key): unknown key \"filtre\"; did you mean \"filter\"?\n");
  EXPECT_EQ(StepFaults("    - {limit: 1, sort: uf}"),
            "/0/sort (key): a step has one key; begin a new list entry with `- ` for each step\n");
  EXPECT_EQ(StepFaults("    - distinct"), "/0: a step is a mapping of one key; distinct: …\n");
  EXPECT_EQ(StepFaults("    - limit: -1"), "/0/limit: expects a number of rows\n");
  EXPECT_EQ(StepFaults("    - limit: many"), "/0/limit: expects a number of rows\n");
  EXPECT_EQ(StepFaults("    - distinct: false"), "/0/distinct: expects `true` or names; leave the step out\n");
  EXPECT_EQ(StepFaults("    - distinct: [uff]"),
            "/0/distinct/0: column \"uff\" is not in establishments; did you mean \"uf\"?\n");
  EXPECT_EQ(StepFaults("    - sort: [uf, -scor]"),
            "/0/sort/1: column \"scor\" is not in establishments; did you mean \"score\"?\n");
  EXPECT_EQ(StepFaults("    - sort: []"), "/0/sort: expects a name or a list of names\n");
  EXPECT_EQ(StepFaults("    - sample: 1.5"), "/0/sample: a sample's share lies between 0 and 1, not 1.5\n");
  EXPECT_EQ(StepFaults("    - sample: {n: 3, fraction: 0.1}"),
            "/0/sample: expects a share of the rows or their number; sample: 0.01, or sample: {n: 1000, seed: 7}\n");
  EXPECT_EQ(StepFaults("    - sample: {n: 3, seeds: 1}"),
            "/0/sample/seeds (key): unknown key \"seeds\"; did you mean \"seed\"?\n");
  EXPECT_EQ(StepFaults("    - rename: {uff: x, uf: municipio}"),
            "/0/rename/uff (key): column \"uff\" is not in establishments; did you mean \"uf\"?\n");
  EXPECT_EQ(StepFaults("    - rename: {uf: municipio}"), "/0/rename/uf: there is another column \"municipio\"\n");
  EXPECT_EQ(StepFaults("    - drop: [cnpj_basico, uf, situacao, data, cnaes, municipio, score]"),
            "/0/drop: no column is left\n");
  EXPECT_EQ(StepFaults("    - unnest: cnaes"),
            "/0/unnest: column \"cnaes\" is text; say what stands between its pieces: {column: cnaes, split: ','}\n");
  EXPECT_EQ(StepFaults("    - unnest: {column: score, split: ','}"),
            "/0/unnest/column: column \"score\" is a float64; unnest expects a list or text\n");
  EXPECT_EQ(StepFaults("    - quarantine: uf = 'SP'"),
            "/0/quarantine: expects a mapping `{when: expression, reason: text}`\n");
}

TEST(BuildStep, PlacesFaultsInsideExpressions) {
  EXPECT_EQ(StepFaults("    - filter: situacoa = '02'"),
            "/0/filter [0,8): column \"situacoa\" is not in establishments; did you mean \"situacao\"?\n");
  EXPECT_EQ(
      StepFaults("    - drop: [cnpj_basico, data, cnaes, score]\n    - derive: {a: 'nada + 1', b: 'uf || nope'}"),
      "/1/derive/a [0,4): column \"nada\" is not in the frame at this step; columns are uf, situacao, municipio\n"
      "/1/derive/b [6,10): column \"nope\" is not in the frame at this step; columns are uf, situacao, municipio\n");
  EXPECT_EQ(StepFaults("    - derive: {a: [1]}"), "/0/derive/a: expects an expression, got an array\n");
  EXPECT_EQ(StepFaults("    - select: [uf, upper(uf)]"),
            "/0/select/1: column \"upper(uf)\" is not in establishments; an expression needs a name: {new_name: "
            "\"upper(uf)\"}\n");
  EXPECT_EQ(StepFaults("    - select: [uf, {uf: 'lower(uf)'}]"), "/0/select/1/uf: two columns are named \"uf\"\n");
}

TEST(BuildStep, ChecksOnAfterAFaultThatKeepsTheColumns) {
  EXPECT_EQ(StepFaults("    - filter: nada = 1\n    - sort: nope\n    - limit: x\n    - filter: uf = 'SP'"),
            "/0/filter [0,4): column \"nada\" is not in establishments; columns are cnpj_basico, uf, situacao, data, "
            "cnaes, municipio, score\n"
            "/1/sort: column \"nope\" is not in establishments\n/2/limit: expects a number of rows\n");
  EXPECT_EQ(StepFaults("    - derive: {new: nada}\n    - filter: new = 1"),
            "/0/derive/new [0,4): column \"nada\" is not in establishments; columns are cnpj_basico, uf, situacao, "
            "data, cnaes, municipio, score\n");
}

TEST(BuildStep, ChecksOnWithAStandInForWhatIsWrong) {
  struct Case {
    const char* steps;
    const char* faults;
  };
  const char* kNada =
      " [0,4): column \"nada\" is not in establishments; columns are cnpj_basico, uf, situacao, data, cnaes, "
      "municipio, score\n";
  const std::vector<Case> cases = {
      // Columns that the faulty step was to make are there for the steps behind it, others are not.
      {"    - derive: {new: nada, low: lower(uf)}\n    - filter: new = 1 and low = 'sp'\n    - sort: other",
       "/0/derive/new@/2/sort: column \"other\" is not in the frame at this step\n"},
      {"    - select: [uf, {new: nada}]\n    - filter: trim(new) = 'x'\n    - sort: score",
       "/0/select/1/new@/2/sort: column \"score\" is not in the frame at this step\n"},
      {"    - aggregate: {by: uf, with: {n: sum(nada)}}\n    - sort: [uf, -n, score]",
       "/0/aggregate/with/n [4,8): column \"nada\" is not in establishments; columns are cnpj_basico, uf, situacao, "
       "data, cnaes, municipio, score\n/1/sort/2: column \"score\" is not in the frame at this step\n"},
      {"    - rename: {nada: new}\n    - sort: [new, other]",
       "/0/rename/nada (key): column \"nada\" is not in establishments\n"
       "/1/sort/1: column \"other\" is not in the frame at this step\n"},
      {"    - drop: nada\n    - unnest: nope\n    - sort: [uf, other]",
       "/0/drop: column \"nada\" is not in establishments\n"
       "/1/unnest: column \"nope\" is not in the frame at this step\n"
       "/2/sort/1: column \"other\" is not in the frame at this step\n"},
      // A name that is none hides nothing.
      {"    - derive: {'': lower(uf)}\n    - sort: [uf, other]",
       "/0/derive/ (key): a column needs a name\n/1/sort/1: column \"other\" is not in the frame at this step\n"},
      // Nothing is known of the columns, but a step can be wrong by itself.
      {"    - filtre: uf = 'SP'\n    - sort: other\n    - joinn: {with: out}\n    - join: {with: nowhere, on: uf}",
       "/0/filtre (key): unknown key \"filtre\"; did you mean \"filter\"?\n"
       "/2/joinn (key): unknown key \"joinn\"; did you mean \"join\"?\n"
       "/3/join/with: unknown frame \"nowhere\"\n"},
  };
  for (const Case& c : cases) {
    std::string expected = c.faults;
    if (size_t at = expected.find('@'); at != std::string::npos) expected.replace(at, 1, kNada);
    EXPECT_EQ(StepFaults(c.steps), expected) << c.steps;
  }
}

TEST(BuildFrames, ChecksFramesThatUseAFaultyOne) {
  EXPECT_EQ(FaultsOf(R"(
bad: {read: {table: establishments}, steps: [{derive: {town: nada}}, {select: [uf, town, {low: lower(uf)}]}]}
towns: {read: {table: towns}}
user:
  from: bad
  steps:
    - join: {with: towns, on: {town: codigo}}
    - union: [bad, nowhere]
    - sort: [low, nome, other]
lost: {read: {tabel: towns}, steps: [{sort: anything}, {union: [nowhere, towns]}]}
)"),
            "/bad/steps/0/derive/town [0,4): column \"nada\" is not in establishments; columns are cnpj_basico, uf, "
            "situacao, data, cnaes, municipio, score\n"
            "/user/steps/1/union/1: unknown frame \"nowhere\"\n"
            "/user/steps/2/sort/2: column \"other\" is not in the frame at this step\n"
            "/lost/read/tabel (key): \"tabel\" is not a format; did you mean \"table\"?\n"
            "/lost/steps/1/union/0: unknown frame \"nowhere\"\n");
}

TEST(BuildStep, TakesScalarsOfYamlAsLiterals) {
  auto built =
      BuildFromYaml("a: {read: {table: towns}, steps: [{filter: true}, {derive: {x: 1, y: 1.5, z: -2, b: false}}]}");
  ASSERT_TRUE(built.errors.empty()) << built.Faults();
  EXPECT_EQ(Columns(built.plans.at("a")),
            "codigo: int64\nnome: string\nx: int64\ny: decimal128(2, 1)\nz: int64\nb: bool");
}

TEST(BuildStep, ReplacesParametersByTypedValues) {
  Parameters parameters = {{"uf", std::make_shared<arrow::StringScalar>("SP' or '1'='1")}};
  auto built = BuildFromYaml("a: {read: {table: establishments}, steps: [{filter: 'uf = ${uf}'}]}", &parameters);
  ASSERT_TRUE(built.errors.empty()) << built.Faults();
  EXPECT_EQ(built.Explained("a"), "filter uf = 'SP'' or ''1''=''1'\n└─ scan table establishments; all 7 columns\n");
}

TEST(BuildStep, JoinsSayWhichSideIsWrong) {
  auto faults = [](const std::string& join) {
    return FaultsOf("towns: {read: {table: towns}}\nout: {read: {table: establishments}, steps: [{join: " + join +
                    "}]}");
  };
  EXPECT_EQ(faults("{with: towns, on: {municipio: codig}}"),
            "/out/steps/0/join/on/municipio: column \"codig\" is not in towns; did you mean \"codigo\"?\n");
  EXPECT_EQ(faults("{with: towns, on: {municipo: codigo}}"),
            "/out/steps/0/join/on/municipo (key): column \"municipo\" is not in establishments; did you mean "
            "\"municipio\"?\n");
  EXPECT_EQ(
      faults("{with: twons, on: municipio, how: outer}"),
      "/out/steps/0/join/with: unknown frame \"twons\"; did you mean \"towns\"?\n"
      "/out/steps/0/join/how: \"outer\" is not a kind of join; one of inner, left, right, full, semi, anti, cross\n");
  EXPECT_EQ(faults("{with: towns}"), "/out/steps/0/join: inner join needs keys; on: column\n");
  EXPECT_EQ(faults("{with: towns, how: cross, on: uf}"), "/out/steps/0/join/on (key): a cross join has no keys\n");
  EXPECT_EQ(faults("{with: towns, on: {municipio: nome}}"),
            "/out/steps/0/join: join key \"municipio\" is int64 on the left, and \"nome\" is string on the right; cast "
            "one of "
            "them in a derive step before the join\n");
}

TEST(BuildStep, AggregatesPlaceFaultsInTheirLists) {
  EXPECT_EQ(StepFaults("    - aggregate: {by: [uf, nada], with: {n: 'count(', m: 'sum(nope)', x: 'score + count()', y: "
                       "'sum(max(score))'}}"),
            "/0/aggregate/by/1: column \"nada\" is not in establishments\n"
            "/0/aggregate/with/n: expected a value, but the expression ends\n");
  EXPECT_EQ(StepFaults("    - aggregate: {by: uf, with: {m: 'sum(nope)', x: 'score + count()', y: 'sum(max(score))'}}"),
            "/0/aggregate/with/m [4,8): column \"nope\" is not in establishments; columns are cnpj_basico, uf, "
            "situacao, data, cnaes, municipio, score\n"
            "/0/aggregate/with/x [0,5): column \"score\" is neither a key nor inside an aggregate; add it to `by`, or "
            "take one of its values: any_value(score)\n"
            "/0/aggregate/with/y [4,14): an aggregate cannot stand inside another\n");
  EXPECT_EQ(StepFaults("    - aggregate: {}"), "/0/aggregate: an aggregate needs `by`, `with` or both\n");
  EXPECT_EQ(StepFaults("    - aggregate: {by: uf, with: {uf: count()}}"),
            "/0/aggregate: two columns are named \"uf\"\n");
}

}  // namespace
}  // namespace mutirao::frame
