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
  EXPECT_EQ(frame["properties"]["read"]["anyOf"],
            Json::parse(R"([{"type": "object", "required": ["csv"]}, {"type": "object", "required": ["table"]}])"));
  EXPECT_EQ(frame["oneOf"], Json::parse(R"([{"required": ["read"]}, {"required": ["from"]}])"));
  EXPECT_EQ(step["properties"]["distinct"]["anyOf"][0], Json::parse(R"({"enum": [true]})"));
  EXPECT_EQ(step["properties"]["join"]["required"], Json::parse(R"(["with"])"));
  EXPECT_EQ(step["properties"]["filter"]["type"], Json::parse(R"(["string", "number", "boolean", "null"])"));
}

}  // namespace
}  // namespace mutirao::frame
