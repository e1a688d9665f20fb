#include "formats/csv/csv_source.h"

#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck.h>

#include "formats/csv/csv_test_support.h"

namespace mutirao::formats::csv {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

using Lines = std::vector<std::string>;

// One rule of docs/design/csv-scan.md each: bytes, keys of the read, rows that come out, number set aside.
struct RuleCase {
  const char* name;
  std::string bytes;
  const char* spec;
  Lines rows;
  int64_t quarantined = 0;
};

const RuleCase kRules[] = {
    {"unquoted empty is null, quoted empty is text", "a,b\n,\"\"\n", "{}", {"∅|"}},
    {"nulls count quoted or not", "a,b\nNA,\"NA\"\n", R"({"nulls": ["NA"]})", {"∅|∅"}},
    {"the empty text may be null too", "a,b\n,\"\"\n", R"({"nulls": [""]})", {"∅|∅"}},
    {"lf and crlf mix", "a,b\r\n1,2\n3,4\r\n", "{}", {"1|2", "3|4"}},
    {"the last line end may be missing", "a,b\n1,2", "{}", {"1|2"}},
    {"a cr before the end is text", "a,b\n1,2\r", "{}", {"1|2\r"}},
    {"a lone cr is text", "a,b\n1\r2,3\n", "{}", {"1\r2|3"}},
    {"newline cr", "a,b\r1,2\r\n\"x\ry\",4\n5,6", R"({"newline": "cr"})", {"1|2", "x\ry|4", "5|6"}},
    {"blank lines are skipped", "a,b\n\n1,2\n\r\n3,4\n\n", "{}", {"1|2", "3|4"}},
    {"a blank line of one column is null", "a\n1\n\n2\n", "{}", {"1", "∅", "2"}},
    {"blanks are a record", "a,b\n \n1,2\n", R"({"on_error": "quarantine"})", {"1|2"}, 1},
    {"line ends inside quotes stay", "a,b\n\"1\n\r\n2\",3\n", "{}", {"1\n\r\n2|3"}},
    {"doubled quotes", "a,b\n\"say \"\"hi\"\"\",\"\"\"\"\n", "{}", {"say \"hi\"|\""}},
    {"standard: a quote in an unquoted field is text", "a,b\n1\"2,x\"\n", "{}", {"1\"2|x\""}},
    {"standard: text behind a closing quote", "a,b\n\"1\"x,2\n3,4\n", R"({"on_error": "quarantine"})", {"3|4"}, 1},
    {"standard: a stray quote does not hide the next fault",
     "a,b\nx\"y,\"1\"z\n3,4\n",
     R"({"on_error": "quarantine"})",
     {"3|4"},
     1},
    {"standard: an open quote takes the rest", "a,b\n1,2\n\"3,4\n5,6\n", R"({"on_error": "quarantine"})", {"1|2"}, 1},
    {"strict: a quote in an unquoted field",
     "a,b\n1\"2,3\n4,5\n",
     R"({"on_error": "quarantine", "quotes": "strict"})",
     {"4|5"},
     1},
    {"lenient: all is text", "a,b\n\"1\"x\"y\",2\n\"3\",\"4\n5", R"({"quotes": "lenient"})", {"1x\"y\"|2", "3|4\n5"}},
    {"no quoting", "a,b\n\"1,2\"\n", R"({"quote": ""})", {"\"1|2\""}},
    {"no quoting, escape", "a,b\n1\\,2,3\n", R"({"quote": "", "escape": "\\"})", {"1,2|3"}},
    {"escape inside and outside quotes", "a,b\n\"x\\\"y\\z\",\\2\\,\n", R"({"escape": "\\"})", {"x\"yz|2,"}},
    {"another quote and delimiter", "a;b\n'x;''y';2\n", R"({"delimiter": ";", "quote": "'"})", {"x;'y|2"}},
    {"comments are lines", "#c\na,b\n#,\"x\n1,#2\n \t#3,4\n", R"({"comment": "#"})", {"1|#2", " \t#3|4"}},
    {"a comment inside quotes is text", "a,b\n\"1\n#2\",3\n", R"({"comment": "#"})", {"1\n#2|3"}},
    {"skip counts physical lines", "x\n\"y\nz\na,b\n1,2\n", R"({"skip": 3})", {"1|2"}},
    {"a mark is removed",
     "\xEF\xBB\xBF"
     "a,b\n1,2\n",
     "{}",
     {"1|2"}},
    {"wrong width is bad", "a,b\n1\n1,2,3\n1,2\n", R"({"on_error": "quarantine"})", {"1|2"}, 2},
    {"null fills short records only", "a,b\n1\n1,2,3\n", R"({"on_error": "null"})", {"1|∅"}, 1},
    {"short record before crlf", "a,b,c\r\n1,2\r\n", R"({"on_error": "null"})", {"1|2|∅"}},
    {"nul is dropped",
     std::string("a,b\n1\0\0"
                 "2,\"3\0\"\n\0\"4\"\0,5\n",
                 22),
     "{}",
     {"12|3", "4|5"}},
    {"nul is kept",
     std::string("a,b\n1\0"
                 "2,3\n",
                 10),
     R"({"nul": "keep"})",
     {std::string("1\0"
                  "2|3",
                  5)}},
    {"nul is an error",
     std::string("a,b\n1\0"
                 "2,3\n4,5\n",
                 14),
     R"({"nul": "error", "on_error": "quarantine"})",
     {"4|5"},
     1},
    {"invalid utf-8 makes the record bad", "a,b\n1,\xE9\n2,\xC3\xA9\n", R"({"on_error": "quarantine"})", {"2|é"}, 1},
    {"latin-1", "a,b\n\"\xE9\x80\",\xFF\n", R"({"encoding": "ISO-8859-1"})", {"é\xC2\x80|ÿ"}},
    {"windows-1252", "a,b\n\x80,2\n\x81,2\n", R"({"encoding": "cp1252", "on_error": "quarantine"})", {"€|2"}, 1},
    {"latin-9", "a,b\n\xA4,\xBD\n", R"({"encoding": "latin-9"})", {"€|œ"}},
    {"utf-16 with a mark",
     std::string("\xFF\xFE"
                 "a\0,\0b\0\n\0\xE9\0,\0\x3D\xD8\x00\xDE\n\0",
                 20),
     R"({"encoding": "utf-16"})",
     {"é|😀"}},
    {"utf-16be", std::string("\0a\0\n\0b", 6), R"({"encoding": "utf-16be"})", {"b"}},
    {"utf-16 lone surrogate",
     std::string("a\0\n\0\x3D\xD8\n\0b\0\n\0", 12),
     R"({"encoding": "utf-16le", "on_error": "quarantine"})",
     {"b"},
     1},
    {"a layout has no header and may be empty", "", R"({"columns": ["x", "y"]})", {}},
    {"too long up to its first line end",
     "a,b\n\"123456789\n1,2\n",
     R"({"max_record_bytes": 8, "on_error": "quarantine"})",
     {"1|2"},
     1},
    {"types",
     "a,b,c,d\n 7 ,1.50,true,20260131\n",
     R"j({"types": {"a": "int8", "b": "decimal(5,2)", "c": "bool", "d": {"type": "date", "format": "%Y%m%d"}}})j",
     {"7|1.50|true|2026-01-31"}},
    {"values that do not convert",
     "a,b\nx,1\n2,2026-02-30\n3,2026-02-28\n,\n",
     R"({"types": {"a": "int64", "b": "date"}, "on_error": "quarantine"})",
     {"3|2026-02-28", "∅|∅"},
     2},
    {"values that do not convert become null",
     "a,b\nx,1\n",
     R"({"types": {"a": "int64"}, "on_error": "null"})",
     {"∅|1"}},
    {"infer", "a,b,c\n1,x,007\n2,y,08\n", R"({"infer": true})", {"1|x|007", "2|y|08"}},
    {"sniff", "a;b\n1;'x;y'\n2;z\n", R"({"sniff": true})", {"1|x;y", "2|z"}},
};

TEST(CsvSource, FollowsEachRule) {
  for (const RuleCase& rule : kRules) {
    const ReadOutcome outcome = ReadText(rule.bytes, Json::parse(rule.spec));
    EXPECT_TRUE(outcome.status.ok()) << rule.name << ": " << outcome.status.ToString();
    EXPECT_EQ(outcome.Lines(), rule.rows) << rule.name;
    EXPECT_EQ(outcome.quarantined, rule.quarantined) << rule.name;
    EXPECT_TRUE(outcome.AddsUp()) << rule.name;
  }
}

TEST(CsvSource, GivesTheSameForEveryChunkSizeAndWayOfParsing) {
  for (const RuleCase& rule : kRules) {
    const Json spec = Json::parse(rule.spec);
    const ReadOutcome whole = ReadText(rule.bytes, spec);
    for (int64_t chunk = 1; chunk <= static_cast<int64_t>(rule.bytes.size()) + 1; ++chunk) {
      ReadOptions options;
      options.tuning.chunk_bytes = chunk;
      options.tuning.quick_path = chunk % 2 == 0;
      options.tuning.guess_bytes = 1 + chunk % 5;
      options.tuning.piece_bytes = 1 + chunk % 7;
      const ReadOutcome cut = ReadText(rule.bytes, spec, options);
      ASSERT_EQ(Difference(whole, cut), "") << rule.name << ", chunks of " << chunk;
    }
  }
}

TEST(CsvSource, ReadsAnyBytesAlikeInEveryWay) {
  EXPECT_TRUE(rc::check("chunks, workers, splits and instructions change nothing", [] {
    const auto pieces = *rc::gen::container<std::vector<std::string>>(rc::gen::elementOf(std::vector<std::string>{
        "\"", "\"\"", ",", "\n", "\r\n", "\r", "a", "bc", "\"x\"", "\"1\",\"2\"\n", "1,2\n", "\"a\nb\",3\n", "\xC3\xA9",
        "\xE9", std::string(1, '\0'), "#", "a text of more than thirty-two bytes, no more than sixty-four",
        "\"ANOTHER, WHICH IS QUOTED AND LONGER THAN SIXTY-FOUR BYTES, \xC3\x89 AND \"\"SO\"\" ON\""}));
    std::string bytes;
    for (const std::string& piece : pieces) bytes += piece;
    Json spec = {{"columns", {"a", "b"}}, {"on_error", "quarantine"}};
    if (*rc::gen::arbitrary<bool>()) spec["comment"] = "#";
    if (*rc::gen::arbitrary<bool>()) spec["encoding"] = "latin-1";
    if (*rc::gen::arbitrary<bool>()) spec["newline"] = "cr";
    spec["quotes"] = *rc::gen::element<std::string>("standard", "strict", "lenient");
    spec["max_record_bytes"] = *rc::gen::element(12, 1000);
    ReadOptions exact;
    exact.tuning.quick_path = false;
    const ReadOutcome whole = ReadText(bytes, spec, exact);
    ReadOptions other{.workers = *rc::gen::inRange(1, 4)};
    other.tuning.chunk_bytes = *rc::gen::inRange(1, 64);
    other.tuning.guess_bytes = *rc::gen::inRange(1, 40);
    other.tuning.piece_bytes = *rc::gen::inRange(1, 40);
    other.tuning.window_bytes = static_cast<size_t>(*rc::gen::inRange(1, 200));
    other.tuning.simd = *rc::gen::elementOf(SupportedSimdLevels());
    other.split_bytes = *rc::gen::inRange(0, 40);
    RC_ASSERT(Difference(whole, ReadText(bytes, spec, other)) == "");
  }));
}

TEST(CsvSource, CutsFilesWhoseLinesEndInCr) {
  const std::string bytes = "a,b\r1,2\r\"3\r\",4\r\n5,6\r\r7,8\r";
  const Json spec = {{"newline", "cr"}};
  for (int64_t split = 1; split < static_cast<int64_t>(bytes.size()); ++split) {
    ReadOptions options{.split_bytes = split};
    options.tuning.chunk_bytes = 3;
    EXPECT_EQ(Difference(ReadText(bytes, spec), ReadText(bytes, spec, options)), "") << split;
  }
}

TEST(CsvSource, NamesTheFirstBadRowWhenItFails) {
  const ReadOutcome outcome = ReadText("a,b\n1,2\n\"x\ny\",z,3\n4,5\n");
  EXPECT_EQ(outcome.status.code(), StatusCode::kInvalid);
  EXPECT_THAT(outcome.status.ToString(), HasSubstr("in.csv:3: bad row: 3 fields where 2 are expected (byte offset 8)"));
  EXPECT_THAT(outcome.status.help(), HasSubstr("quarantine"));
}

TEST(CsvSource, KeepsBadRowsWithTheirPlace) {
  const ReadOutcome outcome =
      ReadText("a,b\r\n\r\n1,x\r\n2,y,z\r\n", {{"types", {{"b", "int64"}}}, {"on_error", "quarantine"}});
  ASSERT_EQ(outcome.bad.size(), 2u);
  EXPECT_EQ(outcome.BadText(), "3@7:b:\"x\" is no int64:1,x\n4@12::3 fields where 2 are expected:2,y,z\n");
}

TEST(CsvSource, GivesBackTheBytesOfBadUtf16Records) {
  const std::string bytes(
      "\xFF\xFE"
      "a\0,\0b\0\n\0\xE9\0\n\0",
      14);
  const ReadOutcome outcome = ReadText(bytes, {{"encoding", "utf-16"}, {"on_error", "quarantine"}});
  ASSERT_EQ(outcome.bad.size(), 1u);
  EXPECT_EQ(outcome.bad[0].byte_offset, 10);
  EXPECT_EQ(outcome.bad[0].raw, std::string("\xE9\0", 2));
}

TEST(CsvSource, StopsAtTooManyBadRows) {
  const std::string bytes = "a,b\n1\n2\n3,3\n4\n";
  EXPECT_TRUE(ReadText(bytes, {{"on_error", "quarantine"}, {"max_errors", 3}}).status.ok());
  EXPECT_EQ(ReadText(bytes, {{"on_error", "quarantine"}, {"max_errors", 2}}).status.code(), StatusCode::kInvalid);
  EXPECT_TRUE(ReadText(bytes, {{"on_error", "quarantine"}, {"max_errors", "75%"}}).status.ok());
  EXPECT_EQ(ReadText(bytes, {{"on_error", "quarantine"}, {"max_errors", "74%"}}).status.code(), StatusCode::kInvalid);
}

TEST(CsvSource, TellsWhereEachRowCameFrom) {
  const TestFolder folder;
  const std::string path = folder.Write("in.csv", "a\n\"x\ny\"\nz\r\n");
  const ReadOutcome outcome = ReadSpec({{"csv", path}, {"provenance", true}});
  EXPECT_THAT(outcome.Lines(), ElementsAre("x\ny|" + path + "|∅|2|2|\"x\ny\"", "z|" + path + "|∅|4|8|z"));
}

TEST(CsvSource, TellsPlacesInTheBytesOfUtf16Files) {
  const TestFolder folder;
  const std::string bytes = std::string("\xFF\xFE", 2) + std::string("a\0\n\0\xE9\0\n\0\xE9\0\n\0b\0\n\0", 16);
  const std::string path = folder.Write("in.csv", bytes);
  for (const int64_t chunk : {100, 4}) {
    ReadOptions options{.columns = {"$line", "$byte_offset"}};
    options.tuning.chunk_bytes = chunk;
    const ReadOutcome outcome = ReadSpec({{"csv", path}, {"encoding", "utf-16"}, {"provenance", true}}, options);
    EXPECT_THAT(outcome.Lines(), ElementsAre("2|6", "3|10", "4|14")) << outcome.status.ToString();
  }
}

TEST(CsvSource, DeliversOnlyTheColumnsAskedFor) {
  const ReadOutcome outcome = ReadText("a,b,c\n1,2,3\n4,5,6\n", Json::object(), {.columns = {"c", "a"}});
  EXPECT_THAT(outcome.Lines(), ElementsAre("3|1", "6|4"));
}

TEST(CsvSource, FixesNamesOfTheHeader) {
  EXPECT_THAT(ReadText("id,,id,name\n1,2,3,4\n").names, ElementsAre("id", "column_2", "id_2", "name"));
}

TEST(CsvSource, RefusesWhatCannotBeRead) {
  const auto message = [](std::string_view bytes, Json spec = Json::object()) {
    return ReadText(bytes, std::move(spec)).status.ToString();
  };
  EXPECT_THAT(message(""), HasSubstr("the file is empty, but a header was promised"));
  EXPECT_THAT(message("", {{"header", false}}), HasSubstr("no record to take columns from"));
  EXPECT_THAT(message("a,b\r1,2\r"), HasSubstr("lone CR"));
  EXPECT_THAT(message(std::string("\xFF\xFE"
                                  "a\0",
                                  4)),
              HasSubstr("utf-16"));
  EXPECT_THAT(message("\xEF\xBB\xBF"
                      "a,b\n",
                      {{"encoding", "latin-1"}}),
              HasSubstr("mark of utf-8"));
  EXPECT_THAT(message("a\0b\0", {{"encoding", "utf-16"}}), HasSubstr("byte order mark"));
  EXPECT_THAT(message("\xE9,b\n"), HasSubstr("not valid utf-8"));
  EXPECT_THAT(message("a,b,c\n", {{"columns", {"x"}}, {"header", true}}),
              HasSubstr("the header has 3 fields where 1 columns are expected"));
}

TEST(CsvSource, FindsEveryFaultOfASpec) {
  Diagnostics errors;
  const Json spec = {{"csv", "x.csv"}, {"delimeter", ";"},  {"encoding", "latin1x"}, {"on_error", "skip"},
                     {"skip", -1},     {"max_errors", "1"}, {"quote", ";;"}};
  EXPECT_FALSE(MakeCsvSource(spec, {}, errors).ok());
  std::vector<std::string> pointers;
  for (const Diagnostic& error : errors.list()) pointers.push_back(error.pointer);
  EXPECT_THAT(pointers, ::testing::UnorderedElementsAre("/delimeter", "/encoding", "/on_error", "/skip", "/max_errors",
                                                        "/quote"));
  EXPECT_THAT(errors.list()[0].help, HasSubstr("delimiter"));
}

TEST(CsvSource, ComesBackFromItsJson) {
  const TestFolder folder;
  const std::string path = folder.Write("in.csv", "a;b\n1;2026-01-02\n");
  Diagnostics errors;
  const auto source =
      MUTIRAO_MUST(MakeCsvSource({{"csv", path}, {"sniff", true}, {"infer", true}, {"max_errors", "2%"}}, {}, errors));
  const Json json = source->ToJson();
  const auto again = MUTIRAO_MUST(MakeCsvSource(json, {}, errors));
  EXPECT_EQ(again->ToJson(), json);
  EXPECT_TRUE(again->schema()->Equals(*source->schema()));
  EXPECT_EQ(Read(*again).Lines(), Read(*source).Lines());
  EXPECT_THAT(Read(*again).Lines(), ElementsAre("1|2026-01-02"));
}

TEST(CsvSource, SaysWhereAGuessedTypeIsBroken) {
  std::string bytes = "a\n";
  for (int i = 0; i < 1500; ++i) bytes += std::to_string(i) + "\n";
  const ReadOutcome outcome = ReadText(bytes + "x\n", {{"infer", true}});
  EXPECT_THAT(outcome.status.ToString(),
              HasSubstr("in.csv:1502: column \"a\": bad row: \"x\" is no int64 (the type was guessed"));
}

TEST(CsvSource, RefusesFilesWithOtherHeaders) {
  const TestFolder folder;
  folder.Write("1.csv", "a,b\n1,2\n");
  folder.Write("2.csv", "a,c\n1,2\n");
  EXPECT_THAT(ReadSpec({{"csv", folder.path() + "/*.csv"}}).status.ToString(),
              HasSubstr("column 2 of the header is \"c\", in the first file it is \"b\""));
}

TEST(CsvSource, StopsWhenAsked) {
  const TestFolder folder;
  Diagnostics errors;
  const auto source = MUTIRAO_MUST(MakeCsvSource({{"csv", folder.Write("in.csv", "a\n1\n")}}, {}, errors));
  frame::ScanCounters counters;
  std::stop_source stop;
  stop.request_stop();
  const auto scan = MUTIRAO_MUST(source->Open({.columns = {"a"}}, {.stop = stop.get_token(), .counters = &counters}));
  EXPECT_EQ(scan->Next(0).status().code(), StatusCode::kCancelled);
}

frame::ExprPtr Column(const std::string& name) {
  return frame::Expr::WithType(*frame::Expr::Column(name), arrow::utf8());
}
frame::ExprPtr TextOf(const std::string& text) {
  return frame::Expr::Literal(std::make_shared<arrow::StringScalar>(text));
}
frame::ExprPtr Call(const std::string& name, std::vector<frame::ExprPtr> args) {
  return frame::Expr::WithType(*frame::Expr::Call(name, std::move(args)), arrow::boolean());
}

TEST(CsvSource, KeepsTheOrderForEachWorkerWhenAsked) {
  const TestFolder folder;
  Json files = Json::array();
  std::vector<std::string> wanted;
  for (int file = 0; file < 12; ++file) {
    std::string text;
    for (int row = 0; row < (file % 3 == 0 ? 200 : 3); ++row) {
      wanted.push_back(fmt::format("{}|{}", file, row));
      text += fmt::format("{},{}\n", file, row);
    }
    files.push_back(folder.Write(fmt::format("{:02}.csv", file), text));
  }
  ReadOptions options{.workers = 4, .preserve_order = true};
  options.tuning.chunk_bytes = 64;
  for (int turn = 0; turn < 20; ++turn) {
    const ReadOutcome outcome = ReadSpec({{"csv", files}, {"columns", {"file", "row"}}}, options);
    ASSERT_TRUE(outcome.status.ok()) << outcome.status.ToString();
    EXPECT_EQ(outcome.Lines(), wanted);
    EXPECT_TRUE(outcome.ascending);
  }
}

TEST(CsvSource, FiltersOnTheBytes) {
  const std::string bytes = "uf,n\n\"SP\",1\n,2\n\"S\xC3O\",3\nRJ,4\n";
  const Json spec = {{"encoding", "latin-1"}};
  const auto rows = [&](const frame::ExprPtr& predicate) {
    const ReadOutcome outcome = ReadText(bytes, spec, {.columns = {"n"}, .predicate = predicate});
    EXPECT_TRUE(outcome.AddsUp());
    return outcome.Lines();
  };
  EXPECT_THAT(rows(Call("=", {Column("uf"), TextOf("SP")})), ElementsAre("1"));
  EXPECT_THAT(rows(Call("=", {TextOf("SÃO"), Column("uf")})), ElementsAre("3"));
  EXPECT_THAT(rows(Call("not", {Call("=", {Column("uf"), TextOf("SP")})})), ElementsAre("3", "4"));
  EXPECT_THAT(rows(Call("<", {TextOf("RJ"), Column("uf")})), ElementsAre("1", "3"));
  EXPECT_THAT(rows(Call("is_null", {Column("uf")})), ElementsAre("2"));
  EXPECT_THAT(rows(Call("in", {Column("uf"), TextOf("RJ"), TextOf("SÃO")})), ElementsAre("3", "4"));
  EXPECT_THAT(rows(Call("like", {Column("uf"), TextOf("S%")})), ElementsAre("1", "3"));
  EXPECT_THAT(
      rows(Call("or", {Call("is_null", {Column("uf")}), Call("between", {Column("uf"), TextOf("A"), TextOf("S")})})),
      ElementsAre("2", "4"));
  Diagnostics errors;
  const TestFolder folder;
  const auto source = MUTIRAO_MUST(MakeCsvSource({{"csv", folder.Write("x.csv", "uf\n")}}, {}, errors));
  EXPECT_FALSE(source->CanPush(*Call("like", {Column("uf"), TextOf("%S")})));
  EXPECT_FALSE(source->CanPush(*Call("=", {Column("uf"), Column("uf")})));
}

TEST(CsvSource, ReadsTheRegisterByItsLayouts) {
  const std::string bytes = "\"00000001\";\"0001\";\"91\";\"1\";\"PADARIA S\xC3O JO\xC3O\"" + [] {
    std::string rest;
    for (int i = 0; i < 25; ++i) rest += ";\"\"";
    return rest;
  }() + "\n";
  const ReadOutcome outcome = ReadText(bytes, {{"layout", "cnpj/estabelecimentos"}},
                                       {.columns = {"cnpj_basico", "nome_fantasia", "data_situacao_especial"}});
  EXPECT_THAT(outcome.Lines(), ElementsAre("00000001|PADARIA SÃO JOÃO|∅"));
  for (const std::string& name : BuiltinLayoutNames()) {
    Diagnostics errors;
    EXPECT_TRUE(ParseLayout(*BuiltinLayout(name), "", errors).ok()) << name;
  }
}

TEST(CsvSource, UsesLayoutsOfTheProject) {
  const TestFolder folder;
  const frame::FormatContext context{
      .base_dir = folder.path(), .find_layout = [](const std::string& name) -> Result<Json> {
        if (name != "mine") return Status::NotFound("no layout " + name);
        return Json{{"delimiter", "|"}, {"columns", {"a", {{"name", "d"}, {"type", "date"}, {"format", "%d/%m/%Y"}}}}};
      }};
  folder.Write("x.csv", "7|31/01/2026\n");
  Diagnostics errors;
  const auto source = MUTIRAO_MUST(MakeCsvSource({{"csv", "x.csv"}, {"layout", "mine"}}, context, errors));
  EXPECT_THAT(Read(*source).Lines(), ElementsAre("7|2026-01-31"));
  EXPECT_FALSE(MakeCsvSource({{"csv", "x.csv"}, {"layout", "cnpj/empresa"}}, context, errors).ok());
  EXPECT_THAT(errors.list().back().help, HasSubstr("cnpj/empresas"));
}

}  // namespace
}  // namespace mutirao::formats::csv
