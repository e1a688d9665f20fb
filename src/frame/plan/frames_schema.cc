#include "frame/plan/frames_schema.h"

#include "frame/plan/plan.h"
#include "frame/plan/steps.h"

namespace mutirao::frame {
namespace {

Json Described(Json schema, const char* description) {
  schema["description"] = description;
  return schema;
}

Json Text(const char* description) {
  return {{"type", "string"}, {"description", description}};
}

Json Object(Json properties, std::initializer_list<const char*> required = {}) {
  Json schema = {{"type", "object"}, {"properties", std::move(properties)}, {"additionalProperties", false}};
  if (required.size() > 0) schema["required"] = required;
  return schema;
}

// YAML numbers, booleans and null may stand where an expression is expected.
Json Expression(const char* description) {
  return {{"type", {"string", "number", "boolean", "null"}}, {"description", description}};
}

Json NonEmptyList(Json items) {
  return {{"type", "array"}, {"items", std::move(items)}, {"minItems", 1}};
}

Json OneOrMany(const char* description) {
  Json name = {{"type", "string"}};
  return {{"anyOf", {name, NonEmptyList(name)}}, {"description", description}};
}

Json NamedExpressions(const char* description) {
  return {{"type", "object"},
          {"additionalProperties", Expression("An expression over the row as it came in.")},
          {"minProperties", 1},
          {"description", description}};
}

Json ColumnsOrExpressions(const char* description) {
  Json name = Text("A column of the frame.");
  Json computed = NamedExpressions("`new: expression`");
  return {{"anyOf", {name, NonEmptyList({{"anyOf", {name, computed}}}), computed}}, {"description", description}};
}

Json JoinOptions() {
  Json name = {{"type", "string"}};
  Json pairs = {{"type", "object"}, {"additionalProperties", name}, {"minProperties", 1}};
  Json on = {
      {"anyOf", {name, NonEmptyList({{"anyOf", {name, pairs}}}), pairs}},
      {"description", "The key column, several, or {left: right} where the names differ. Null keys never match."}};
  Json kinds = Json::array();
  for (int i = 0; i <= static_cast<int>(JoinKind::kCross); ++i) kinds.push_back(JoinKindName(static_cast<JoinKind>(i)));
  return Object({{"with", Text("The frame on the right side.")},
                 {"on", std::move(on)},
                 {"how", {{"enum", std::move(kinds)}, {"default", "inner"}, {"description", "Which rows come out."}}},
                 {"suffix", Described({{"type", "string"}, {"default", "_2"}},
                                      "Added to the names of right columns that the left side has too.")}},
                {"with"});
}

Json SampleOptions() {
  Json share = {{"type", "number"}, {"minimum", 0}, {"maximum", 1}};
  Json seed = {
      {"type", "integer"}, {"minimum", 0}, {"default", 0}, {"description", "The same seed chooses the same rows."}};
  Json count = {{"type", "integer"}, {"minimum", 0}, {"description", "The number of rows."}};
  return {{"anyOf",
           {share, Object({{"n", count}, {"seed", seed}}, {"n"}),
            Object({{"fraction", Described(share, "The share of the rows.")}, {"seed", seed}}, {"fraction"})}}};
}

Json StepOptions(const std::string& name) {
  if (name == "filter") return Expression("Keep the rows for which this is true.");
  if (name == "select") return ColumnsOrExpressions("The columns to keep or compute, in order.");
  if (name == "derive") return NamedExpressions("Columns to add or replace, all computed from the row as it came in.");
  if (name == "rename") {
    return {{"type", "object"},
            {"additionalProperties", Text("The new name.")},
            {"minProperties", 1},
            {"description", "{old: new}"}};
  }
  if (name == "drop") return OneOrMany("Columns to leave out.");
  if (name == "join") return Described(JoinOptions(), "Bring in the columns of another frame by equal keys.");
  if (name == "aggregate") {
    return Described(
        Object({{"by",
                 {{"anyOf", {ColumnsOrExpressions("Group keys."), {{"type", "array"}, {"maxItems", 0}}}},
                  {"description", "Columns or `new: expression` entries; without them all rows are one group."}}},
                {"with", NamedExpressions("Expressions over aggregates: {n: count(), mean: sum(x) / count(x)}.")}}),
        "One row a group.");
  }
  if (name == "distinct") {
    return {{"anyOf", {{{"enum", {true}}}, OneOrMany("Columns that decide.")}},
            {"description", "Keep one of the rows that are equal."}};
  }
  if (name == "sort") return OneOrMany("Columns, `-column` for descending; nulls last.");
  if (name == "limit") return {{"type", "integer"}, {"minimum", 0}, {"description", "Keep this many rows."}};
  if (name == "sample") return Described(SampleOptions(), "Keep a random share or number of rows.");
  if (name == "union") return OneOrMany("Add the rows of other frames; columns are matched by name.");
  if (name == "unnest") {
    Json split = Object(
        {{"column", Text("A list or text column.")}, {"split", Text("What stands between the pieces of the text.")}},
        {"column"});
    return {{"anyOf", {{{"type", "string"}}, split}},
            {"description", "One row for each element of a list, or piece of a text."}};
  }
  return Described(Object({{"when", Expression("Rows for which this is true are moved.")},
                           {"reason", Text("Written beside each row.")}},
                          {"when"}),
                   "Move rows to the quarantine file.");
}

Json Steps() {
  Json alternatives = Json::object();
  for (const StepKind& kind : StepKinds()) alternatives[kind.name] = StepOptions(kind.name);
  Json step = Object(std::move(alternatives));
  step["minProperties"] = 1;
  step["maxProperties"] = 1;
  return {{"type", {"array", "null"}},
          {"items", std::move(step)},
          {"description", "What is done with the rows, in order."}};
}

Json Reads(const FormatRegistry& registry) {
  Json alternatives = Json::array();
  for (const std::string& kind : registry.SourceKinds()) {
    Json schema = registry.SourceSchema(kind);
    schema["properties"]["preserve_order"] = {
        {"type", "boolean"},
        {"description", "Keep the rows in the order of the files and of the rows in them; false by default."}};
    alternatives.push_back(std::move(schema));
  }
  return {{"anyOf", std::move(alternatives)}, {"description", "Where the rows come from."}};
}

}  // namespace

Json FramesJsonSchema(const FormatRegistry& registry) {
  Json frame = Object({{"read", Reads(registry)},
                       {"from", Text("Begin with the rows of another frame of this op.")},
                       {"steps", Steps()}});
  frame["oneOf"] = {{{"required", {"read"}}}, {{"required", {"from"}}}};
  frame["description"] = "A lazy table: where its rows come from and what is done with them.";
  return {{"type", "object"},
          {"additionalProperties", std::move(frame)},
          {"minProperties", 1},
          {"description", "The tables of this op by name; they can use each other."}};
}

}  // namespace mutirao::frame
