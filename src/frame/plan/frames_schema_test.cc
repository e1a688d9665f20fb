#include "frame/plan/frames_schema.h"

#include <gtest/gtest.h>

#include "frame/plan/known_tables_test.h"
#include "frame/plan/steps.h"

namespace mutirao::frame {
namespace {

TEST(FramesJsonSchema, DescribesEveryStepAndRead) {
  Json frame = FramesJsonSchema(KnownFormats())["additionalProperties"];
  Json step = frame["properties"]["steps"]["items"];
  EXPECT_EQ(step["additionalProperties"], false);
  EXPECT_EQ(step["properties"].size(), StepKinds().size());
  for (const StepKind& kind : StepKinds()) {
    EXPECT_TRUE(step["properties"][kind.name]["description"].is_string()) << kind.name;
  }
  Json reads = frame["properties"]["read"]["anyOf"];
  ASSERT_EQ(reads.size(), 2u);
  EXPECT_EQ(reads[0]["required"], Json::parse(R"(["csv"])"));
  EXPECT_EQ(reads[1]["required"], Json::parse(R"(["table"])"));
  for (const Json& read : reads) EXPECT_EQ(read["properties"]["preserve_order"]["type"], "boolean");
  EXPECT_EQ(frame["oneOf"], Json::parse(R"([{"required": ["read"]}, {"required": ["from"]}])"));
  EXPECT_EQ(step["properties"]["distinct"]["anyOf"][0], Json::parse(R"({"enum": [true]})"));
  EXPECT_EQ(step["properties"]["join"]["required"], Json::parse(R"(["with"])"));
  EXPECT_EQ(step["properties"]["filter"]["type"], Json::parse(R"(["string", "number", "boolean", "null"])"));
}

}  // namespace
}  // namespace mutirao::frame
