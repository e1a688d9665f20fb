#include "base/shape.h"

#include <gtest/gtest.h>

namespace mutirao {
namespace {

const char* const kSchema = R"({
  "type": "object", "title": "an op", "additionalProperties": false, "required": ["name"],
  "properties": {
    "name": {"type": "string", "pattern": "^[a-z]+$", "x-expects": "a name of letters"},
    "retry": {"$ref": "#/definitions/retry"},
    "after": {"anyOf": [{"type": "string"}, {"type": "array", "minItems": 1, "items": {"type": "string"}}]},
    "mode": {"enum": ["error", "overwrite"]},
    "tags": {"type": "object", "additionalProperties": {"type": ["string", "integer"]}},
    "frames": {"x-opaque": true}
  },
  "definitions": {
    "retry": {"type": "object", "title": "a retry rule", "additionalProperties": false,
              "properties": {"max": {"type": "integer", "minimum": 0}}}
  }
})";

std::string Faults(const std::string& value) {
  Json schema = Json::parse(kSchema);
  Diagnostics errors;
  CheckShape(Json::parse(value), schema, schema, "", errors);
  std::string text;
  for (const Diagnostic& d : errors.list())
    text += d.pointer + " " + d.message + (d.help.empty() ? "" : "; " + d.help) + "\n";
  return text;
}

TEST(Shape, AcceptsWhatFits) {
  EXPECT_EQ(Faults(R"({"name": "load", "retry": {"max": 0}, "after": ["a"], "mode": "error", "tags": {"a": 1},
                       "frames": {"anything": [1]}})"),
            "");
}

TEST(Shape, NamesEveryFaultAtOnce) {
  EXPECT_EQ(Faults(R"({"retyr": 1, "retry": {"max": -1}, "after": 3, "mode": "overwrit", "tags": {"a": []}})"),
            "/retyr unknown key \"retyr\" in an op; did you mean \"retry\"?\n"
            "/retry/max \"max\" must be at least 0\n"
            "/after \"after\" must be text or a list, not a whole number\n"
            "/mode \"mode\" must be error or overwrite, not \"overwrit\"; did you mean \"overwrite\"?\n"
            "/tags/a \"a\" must be text or a whole number, not a list\n"
            " \"name\" is missing in an op\n");
}

TEST(Shape, TellsTheFaultInTheFormThatWasMeant) {
  EXPECT_EQ(Faults(R"({"name": "x", "after": ["a", 1]})"), "/after/1 item 2 must be text, not a whole number\n");
  EXPECT_EQ(Faults(R"({"name": "x", "after": []})"), "/after \"after\" must not be empty\n");
}

TEST(Shape, SaysInWordsWhatATextShouldBe) {
  EXPECT_EQ(Faults(R"({"name": "X1"})"), "/name \"name\" must be a name of letters, not \"X1\"\n");
}

TEST(Shape, RefusesALongTextThatAPatternMustFitAsAWhole) {
  const std::string faults = Faults(R"({"name": ")" + std::string(5000, 'x') + R"("})");
  EXPECT_EQ(faults, "/name \"name\" must be a name of letters, not \"" + std::string(200, 'x') + "…\"\n");
}

TEST(Shape, RefusesADocumentOfAnotherKind) {
  EXPECT_EQ(Faults("[1]"), " the file must be a mapping, not a list\n");
}

}  // namespace
}  // namespace mutirao
