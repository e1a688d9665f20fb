#include "orchestration/pipes/metadata.h"

#include <gtest/gtest.h>

namespace mutirao::orchestration::pipes {
namespace {

struct Case {
  const char* type;
  const char* value;
  /// What is read as "type value"; null when it is refused.
  const char* read;
};

class MetadataTable : public ::testing::TestWithParam<Case> {};

TEST_P(MetadataTable, ReadsOrRefuses) {
  const Case& c = GetParam();
  Json wire = {{"raw_value", Json::parse(c.value)}, {"type", c.type}};
  Result<MetadataValue> value = ReadMetadataValue(wire);
  ASSERT_EQ(value.ok(), c.read != nullptr) << value.status().ToString();
  if (!value.ok()) return;
  EXPECT_EQ(std::string(MetadataTypeName(value->type)) + " " + value->value.dump(), c.read);
}

INSTANTIATE_TEST_SUITE_P(
    Plain, MetadataTable,
    ::testing::Values(Case{"__infer__", R"("x")", R"(text "x")"}, Case{"__infer__", "true", "bool true"},
                      Case{"__infer__", "1", "int 1"}, Case{"__infer__", "1.0", "float 1.0"},
                      Case{"__infer__", "[1]", "json [1]"}, Case{"__infer__", "{}", "json {}"},
                      Case{"__infer__", "null", "null null"}, Case{"text", "1", nullptr},
                      Case{"md", R"("*x*")", R"(md "*x*")"}, Case{"url", R"("http://x")", R"(url "http://x")"},
                      Case{"path", "null", nullptr}, Case{"notebook", R"("a.ipynb")", R"(notebook "a.ipynb")"},
                      Case{"float", "1.5", "float 1.5"}, Case{"float", "null", "float null"},
                      Case{"float", "1", nullptr}, Case{"int", "1", "int 1"},
                      Case{"int", "18446744073709551615", "int 18446744073709551615"}, Case{"int", "1.0", nullptr},
                      Case{"int", "null", "int null"}, Case{"int", "true", nullptr},
                      Case{"bool", "false", "bool false"}, Case{"bool", "0", nullptr},
                      Case{"bool", "null", "bool null"}, Case{"json", R"({"a": 1})", R"(json {"a":1})"},
                      Case{"json", R"("t")", R"(json "t")"}, Case{"json", "null", "json null"},
                      Case{"json", "1", nullptr}, Case{"timestamp", "1767225600", "timestamp 1767225600"},
                      Case{"timestamp", "1.5", "timestamp 1.5"}, Case{"timestamp", R"("now")", nullptr},
                      Case{"null", "5", "null null"}, Case{"dagster_run", R"("id")", R"(dagster_run "id")"},
                      Case{"asset", R"("a\\/b/c")", R"(asset ["a\\","b","c"])"}, Case{"asset", "[]", nullptr},
                      Case{"job", R"("x")", nullptr}, Case{"", "1", nullptr}));

constexpr const char* kColumn = R"({"name": "a", "type": "int"})";
constexpr const char* kReadColumn =
    R"({"name":"a","type":"int","description":null,"tags":{},"constraints":{"nullable":true,"unique":false,"other":[]}})";

std::string Schema(const std::string& column) {
  return R"({"columns": [)" + column + "]}";
}

TEST(Metadata, ReadsTablesSchemasAndLineage) {
  auto read = [](const std::string& type, const std::string& value) {
    return ReadMetadataValue({{"raw_value", Json::parse(value)}, {"type", type}});
  };
  EXPECT_EQ(read("table_schema", Schema(kColumn))->value.dump(), std::string("{\"columns\":[") + kReadColumn + "]}");
  auto full = read("table_schema", Schema(R"({"name": "a", "type": "int", "description": "d", "tags": {"k": "v"},
                                             "constraints": {"nullable": false, "unique": true, "other": ["> 0"]}})"));
  EXPECT_EQ(full->value["columns"][0]["constraints"].dump(), R"({"nullable":false,"unique":true,"other":["> 0"]})");
  EXPECT_EQ(full->value["columns"][0]["tags"]["k"], "v");
  EXPECT_TRUE(read("table", std::string(R"({"records": [{"a": 1, "b": null}], "schema": [)") + kColumn + "]}").ok());
  auto lineage = read("table_column_lineage", R"({"deps_by_column": {"a": [{"asset_key": "x/y", "column_name": "b"},
                                                 {"asset_key": ["p", "q"], "column_name": "c"}]}})");
  EXPECT_EQ(lineage->value["deps_by_column"]["a"][0]["asset_key"].dump(), R"(["x/y"])");
  EXPECT_EQ(lineage->value["deps_by_column"]["a"][1]["asset_key"].dump(), R"(["p","q"])");

  for (const char* column :
       {R"({"name": "a"})", R"({"name": 1, "type": "int"})", "5", R"({"name": "a", "type": "int", "tags": {"k": 1}})",
        R"({"name": "a", "type": "int", "description": 1})",
        R"({"name": "a", "type": "int", "constraints": {"unique": 1}})",
        R"({"name": "a", "type": "int", "constraints": {"other": [1]}})"}) {
    EXPECT_FALSE(read("table_schema", Schema(column)).ok()) << column;
  }
  EXPECT_FALSE(read("table", R"({"records": [{"a": []}], "schema": []})").ok());
  EXPECT_FALSE(read("table", R"({"records": [1], "schema": []})").ok());
  EXPECT_FALSE(read("table", R"({"records": []})").ok());
  EXPECT_FALSE(
      read("table_column_lineage", R"({"deps_by_column": {"a": [{"asset_key": 1, "column_name": "b"}]}})").ok());
  EXPECT_FALSE(read("table_column_lineage", R"({"deps_by_column": {"a": [{"asset_key": "x"}]}})").ok());
}

TEST(Metadata, IsAMapOfWrappedValues) {
  EXPECT_TRUE(ReadMetadata(nullptr)->empty());
  EXPECT_FALSE(ReadMetadata(Json::array()).ok());
  EXPECT_FALSE(ReadMetadata(Json::parse(R"({"a": {"raw_value": 1}})")).ok());
  Metadata metadata = *ReadMetadata(Json::parse(R"({"z": {"raw_value": 1, "type": "__infer__"},
                                                    "a": {"raw_value": "t", "type": "md"}})"));
  EXPECT_EQ(MetadataToJson(metadata).dump(), R"({"z":{"type":"int","value":1},"a":{"type":"md","value":"t"}})");
}

}  // namespace
}  // namespace mutirao::orchestration::pipes
