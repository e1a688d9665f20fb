#include "engine/profile/profiler.h"

#include <thread>

#include <gtest/gtest.h>

#include "engine/testing/engine_fixture.h"

namespace mutirao::engine {
namespace {

using testing::BatchOf;
using testing::E;
using testing::RandomTable;
using testing::ScanOf;

const NodeReport& NodeOf(const ExecutionReport& report, frame::NodeKind kind) {
  for (const NodeReport& node : report.nodes) {
    if (node.node->kind() == kind) return node;
  }
  throw std::runtime_error("no such node");
}

TEST(Profiler, GivesTimeToTheInnermostNodeOnly) {
  Profiler profiler(1, 2);
  const auto pause = [] { std::this_thread::sleep_for(std::chrono::milliseconds(20)); };
  {
    const Profiler::Scope outer(&profiler, 0, 0, ProfileSpan::kRows, 7);
    pause();
    {
      const Profiler::Scope inner(&profiler, 0, 1, ProfileSpan::kFinish);
      pause();
      pause();
    }
  }
  const Profile profile = profiler.Take();
  ASSERT_EQ(profile.spans.size(), 2u);
  const ProfileSpan& outer = profile.spans[0];
  const ProfileSpan& inner = profile.spans[1];
  EXPECT_EQ(outer.node, 0);
  EXPECT_EQ(outer.rows, 7);
  EXPECT_EQ(inner.node, 1);
  EXPECT_EQ(inner.doing, ProfileSpan::kFinish);
  EXPECT_GE(inner.begin, outer.begin);
  EXPECT_LE(inner.begin + inner.nanoseconds, outer.begin + outer.nanoseconds);
  EXPECT_EQ(profiler.NanosecondsIn(1), inner.nanoseconds);
  EXPECT_EQ(profiler.NanosecondsIn(0) + profiler.NanosecondsIn(1), outer.nanoseconds);
  EXPECT_GE(profiler.NanosecondsIn(1), 40'000'000);
}

TEST(Profiler, KeepsABoundedNumberOfSpans) {
  Profiler profiler(1, 1);
  {
    const Profiler::Scope all(&profiler, 0, 0, ProfileSpan::kRows);
    for (size_t i = 0; i < 3 * Profiler::kMostSpans; ++i) {
      const Profiler::Scope one(&profiler, 0, 0, ProfileSpan::kRows);
    }
    for (size_t i = 0; i < 3 * Profiler::kMostSpans; ++i) profiler.Sample({}, 0);
  }
  const Profile profile = profiler.Take();
  EXPECT_LE(profile.spans.size(), Profiler::kMostSpans);
  EXPECT_EQ(profile.spans.at(0).begin + profile.spans.at(0).nanoseconds, [&] {
    int64_t last = 0;
    for (const ProfileSpan& span : profile.spans) last = std::max(last, span.begin + span.nanoseconds);
    return last;
  }()) << "the longest is kept";
  EXPECT_LT(profile.samples.size(), Profiler::kMostSpans);
  EXPECT_TRUE(std::is_sorted(profile.samples.begin(), profile.samples.end(),
                             [](const ProfileSample& a, const ProfileSample& b) { return a.at < b.at; }));
}

TEST(Profile, TellsOfEachNodeAndOnlyWhenAsked) {
  const frame::PlanPtr scan = ScanOf({RandomTable(3, 20000, 500)}, false, 1000);
  const frame::PlanPtr filter = MUTIRAO_MUST(frame::MakeFilter(scan, E("v > 0")));
  const frame::PlanPtr right = ScanOf({RandomTable(4, 1000, 500, "r")}, false, 100);
  const frame::PlanPtr join = MUTIRAO_MUST(frame::MakeJoin(filter, right, {{"k", "rk"}}, frame::JoinKind::kInner));
  const frame::PlanPtr sort = MUTIRAO_MUST(frame::MakeSort(join, {{"k", false}}));
  for (const bool asked : {true, false}) {
    ExecuteOptions options = testing::Threads(3);
    options.memory = 1 << 18;
    options.profile = asked;
    ExecutionReport report;
    ASSERT_TRUE(Collect(sort, options, &report).ok());
    EXPECT_EQ(report.profile.has_value(), asked);
    int64_t spilled = 0;
    for (const NodeReport& node : report.nodes) {
      EXPECT_EQ(node.seconds > 0, asked);
      EXPECT_EQ(node.bytes_out > 0, asked);
      EXPECT_LE(node.memory_peak, report.memory_peak);
      spilled += node.bytes_spilled;
    }
    EXPECT_EQ(spilled, report.bytes_spilled);
    EXPECT_GT(NodeOf(report, frame::NodeKind::kSort).bytes_spilled, 0);
    EXPECT_GT(NodeOf(report, frame::NodeKind::kSort).memory_peak, 0);
    EXPECT_GT(NodeOf(report, frame::NodeKind::kJoin).memory_peak, 0);
    EXPECT_EQ(NodeOf(report, frame::NodeKind::kFilter).memory_peak, 0);
    if (!asked) continue;
    for (const ProfileSpan& span : report.profile->spans) {
      ASSERT_TRUE(span.worker >= 0 && span.worker < 3);
      ASSERT_TRUE(span.node >= 0 && span.node < static_cast<int>(report.nodes.size()));
      ASSERT_LE(static_cast<double>(span.begin + span.nanoseconds), report.seconds * 1e9);
    }
    EXPECT_FALSE(report.profile->samples.empty());
  }
}

}  // namespace
}  // namespace mutirao::engine
