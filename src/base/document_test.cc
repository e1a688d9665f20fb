#include "base/document.h"

#include <sstream>

#include <fmt/format.h>
#include <gtest/gtest.h>

namespace mutirao {
namespace {

Document MustParse(const std::string& text) {
  return MUTIRAO_MUST(Document::Parse("job.yaml", text));
}

std::string Place(const Document& document, const Diagnostic& diagnostic) {
  FilePosition at = document.Locate(diagnostic);
  return std::to_string(at.line) + ":" + std::to_string(at.column) + "+" + std::to_string(at.width);
}

std::string ParseError(const std::string& text) {
  std::vector<std::string> rendered;
  Result<Document> document = Document::Parse("job.yaml", text, &rendered);
  EXPECT_FALSE(document.ok());
  std::string all;
  for (const std::string& error : rendered) all += error;
  return all;
}

TEST(Document, ResolvesScalarsByTheCoreSchema) {
  Document document = MustParse(
      "[12, -3, +4, 0x1F, 0o17, 02, 1.5, .5, 1e3, true, False, no, ~, null, '12', \"true\", 12:30:00, 2026-01-31, "
      "1_000, "
      "99999999999999999999, -9223372036854775808, .inf]");
  EXPECT_EQ(document.value().dump(),
            "[12,-3,4,31,15,2,1.5,0.5,1000.0,true,false,\"no\",null,null,\"12\",\"true\",\"12:30:00\",\"2026-01-31\","
            "\"1_000\",\"99999999999999999999\",-9223372036854775808,\".inf\"]");
}

TEST(Document, KeepsTheOrderOfKeys) {
  EXPECT_EQ(MustParse("z: 1\na: 2\nm: {y: 1, b: 2}\n").value().dump(), R"({"z":1,"a":2,"m":{"y":1,"b":2}})");
}

TEST(Document, ReadsAnEmptyFileAsNull) {
  EXPECT_TRUE(MustParse("# nothing\n").value().is_null());
}

TEST(Document, LocatesValuesAndKeys) {
  Document document = MustParse("name: x\nops:\n  load:\n    retry: {max: 2}\n    tags: [a, bc]\n");
  EXPECT_EQ(Place(document, {.pointer = "/name"}), "1:7+1");
  EXPECT_EQ(Place(document, {.pointer = "/name", .at_key = true}), "1:1+4");
  EXPECT_EQ(Place(document, {.pointer = "/ops/load"}), "3:3+4");
  EXPECT_EQ(Place(document, {.pointer = "/ops/load/retry/max"}), "4:18+1");
  EXPECT_EQ(Place(document, {.pointer = "/ops/load/tags/1"}), "5:15+2");
  EXPECT_EQ(Place(document, {.pointer = "/ops/load/retry/delay"}), "4:5+5") << "the nearest parent's key";
  EXPECT_EQ(Place(document, {.pointer = "/nothing"}), "1:1+1");
}

struct SpanCase {
  const char* name;
  const char* text;
  TextSpan span;
  const char* place;
};

TEST(Document, LocatesSpansInsideScalars) {
  const SpanCase cases[] = {
      {"plain", "f: situacao = '02'\n", {0, 8}, "1:4+8"},
      {"plain, later", "f: situacao = '02'\n", {11, 15}, "1:15+4"},
      {"double quoted", "f: \"cast(x as t)\"\n", {5, 6}, "1:10+1"},
      {"single quoted with doubled quote", "f: 'a = ''02'' or b'\n", {12, 13}, "1:19+1"},
      {"escape gives the whole value", "f: \"a\\tb c\"\n", {4, 5}, "1:4+1"},
      {"characters, not bytes", "f: \"são = ção\"\n", {7, 12}, "1:11+3"},
      {"literal block", "f: |\n  a = 1\n  or b\n", {9, 10}, "3:6+1"},
      {"folded block", "f: >\n  a = 1\n  or b\n", {9, 10}, "3:6+1"},
      {"folded plain", "f: a = 1\n  or b\n", {9, 10}, "2:6+1"},
      {"at the end", "f: a +\ng: 1\n", {3, 4}, "1:7+1"},
      {"whole value", "f: a + b\n", {0, 0}, "1:4+5"},
  };
  for (const SpanCase& c : cases) {
    EXPECT_EQ(Place(MustParse(c.text), {.pointer = "/f", .span = c.span}), c.place) << c.name;
  }
}

TEST(Document, RendersTheLineWithACaret) {
  Document document = MustParse("ops:\n  - filter: situacao = '02'\n");
  EXPECT_EQ(document.Render({.message = "column \"situacao\" is not in cnpj/estabelecimentos",
                             .pointer = "/ops/0/filter",
                             .span = {0, 8},
                             .notes = {"it has 30 columns"},
                             .help = "did you mean \"situacao_cadastral\"?"},
                            false),
            "error: column \"situacao\" is not in cnpj/estabelecimentos\n"
            " --> job.yaml:2:13\n"
            "  |\n"
            "2 |   - filter: situacao = '02'\n"
            "  |             ^^^^^^^^\n"
            "note: it has 30 columns\n"
            "help: did you mean \"situacao_cadastral\"?\n");
}

TEST(Document, CutsALongLineAroundThePlace) {
  Document document = MustParse("{a: " + std::string(200'000, 'x') + ", key: " + std::string(500, 'y') + "}\n");
  std::string text = document.Render({.message = "wrong", .pointer = "/key", .at_key = true}, false);
  EXPECT_LT(text.size(), 600u);
  EXPECT_NE(text.find("--> job.yaml:1:200007"), std::string::npos) << text;
  std::vector<std::string> lines;
  std::istringstream stream(text);
  for (std::string line; std::getline(stream, line);) lines.push_back(line);
  ASSERT_EQ(lines.size(), 5u) << text;
  // "…" is one character and three bytes.
  EXPECT_EQ(lines[3].substr(lines[4].find('^') + 2, 3), "key") << text;
  EXPECT_NE(lines[4].find("^^^"), std::string::npos) << text;
}

TEST(Document, GivesADiagnosticAsData) {
  Document document = MustParse("a: 1\n");
  EXPECT_EQ(document.ToJson({.message = "wrong", .pointer = "/a"}).dump(),
            R"({"message":"wrong","file":"job.yaml","line":1,"column":4,"pointer":"/a","notes":[],"help":""})");
}

TEST(Document, RefusesDoubledKeys) {
  EXPECT_EQ(ParseError("a: 1\nb: 2\na: 3\n"),
            "error: the key \"a\" is given twice\n --> job.yaml:3:1\n  |\n3 | a: 3\n  | ^\n"
            "note: it is given first in line 1\n");
}

TEST(Document, PointsAtASyntaxError) {
  std::string error = ParseError("a: [1, 2\nb: 3\n");
  EXPECT_NE(error.find("not valid YAML"), std::string::npos) << error;
  EXPECT_NE(error.find("--> job.yaml:2:"), std::string::npos) << error;
}

TEST(Document, SaysThatTabsDoNotIndent) {
  EXPECT_NE(ParseError("ops:\n\tload:\n\t\tcommand: [ls]\n").find("help: indent with blanks"), std::string::npos);
  EXPECT_EQ(ParseError("a: [1, 2\nb: 3\n").find("help:"), std::string::npos);
}

TEST(Document, StopsAtAnAliasBomb) {
  std::string text = "a0: &a0 [1,1,1,1,1,1,1,1,1,1]\n";
  for (int i = 1; i <= 10; ++i) {
    text += fmt::format("a{0}: &a{0} [*a{1},*a{1},*a{1},*a{1},*a{1},*a{1},*a{1},*a{1},*a{1},*a{1}]\n", i, i - 1);
  }
  EXPECT_NE(ParseError(text).find("more than 100000 nodes"), std::string::npos);
}

TEST(Document, StopsAtDeepNesting) {
  EXPECT_FALSE(Document::Parse("x", std::string(300, '[') + std::string(300, ']')).ok());
  EXPECT_NE(ParseError(std::string(100'000, '[')).find("nested deeper"), std::string::npos);
}

TEST(Document, RefusesWhatIsNotUtf8Text) {
  EXPECT_EQ(ParseError("b: 1\na: \xff\n"),
            "error: the file is not UTF-8 text (byte 8)\n --> job.yaml:2:1\nhelp: save it as UTF-8 text\n");
  EXPECT_NE(ParseError(std::string("a: b\0c\n", 7)).find("has a NUL byte (byte 4)"), std::string::npos);
  EXPECT_NE(ParseError("a: 1\n---\nb: 2\n").find("more than one"), std::string::npos);
  EXPECT_NE(ParseError("a: !!python/object x\n").find("tag"), std::string::npos);
}

TEST(Document, SkipsAByteOrderMark) {
  EXPECT_EQ(MustParse("\xEF\xBB\xBF"
                      "a: 1\n")
                .value()["a"],
            1);
}

}  // namespace
}  // namespace mutirao
