#include "frame/optimizer/rewrite.h"

#include <gtest/gtest.h>

#include "frame/plan/known_tables_test.h"

namespace mutirao::frame {
namespace {

TEST(Uses, CountsReadersAndRoots) {
  PlanPtr scan = PlanOf("towns", "    []");
  PlanPtr limit = MUTIRAO_MUST(MakeLimit(scan, 1));
  EXPECT_FALSE(Uses({limit}).shared(scan));
  EXPECT_TRUE(Uses({limit, scan}).shared(scan)) << "read by the limit and as a root";
  PlanPtr both = MUTIRAO_MUST(MakeUnion({scan, limit}));
  EXPECT_TRUE(Uses({both}).shared(scan));
  EXPECT_FALSE(Uses({both}).shared(limit));
}

TEST(RewriteInputsFirst, KeepsPlansThatNothingChanges) {
  PlanPtr scan = PlanOf("towns", "    []");
  PlanPtr limit = MUTIRAO_MUST(MakeLimit(scan, 1));
  auto same = RewriteInputsFirst({limit}, [](const PlanPtr& node, const Uses&) -> Result<PlanPtr> { return node; });
  ASSERT_TRUE(same.ok());
  EXPECT_EQ(same->at(0), limit);
}

TEST(RewriteInputsFirst, RewritesASharedNodeOnce) {
  PlanPtr scan = PlanOf("towns", "    []");
  PlanPtr both = MUTIRAO_MUST(MakeUnion({MUTIRAO_MUST(MakeLimit(scan, 1)), MUTIRAO_MUST(MakeLimit(scan, 2))}));
  int scans = 0;
  auto rewritten = RewriteInputsFirst({both}, [&](const PlanPtr& node, const Uses&) -> Result<PlanPtr> {
    if (node->kind() != NodeKind::kScan) return node;
    ++scans;
    return MakeScan(static_cast<const ScanNode&>(*node).source, true);
  });
  ASSERT_TRUE(rewritten.ok());
  EXPECT_EQ(scans, 1);
  const PlanPtr& root = rewritten->at(0);
  EXPECT_EQ(root->inputs()[0]->input(), root->inputs()[1]->input()) << "one scan for both";
}

TEST(ReadersFirst, GivesEachNodeOnceBeforeItsInputs) {
  PlanPtr scan = PlanOf("towns", "    []");
  PlanPtr limit = MUTIRAO_MUST(MakeLimit(scan, 1));
  PlanPtr both = MUTIRAO_MUST(MakeUnion({scan, limit}));
  EXPECT_EQ(ReadersFirst({both}), (std::vector<PlanPtr>{both, limit, scan}));
}

}  // namespace
}  // namespace mutirao::frame
