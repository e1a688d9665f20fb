#include "orchestration/run/fold.h"

#include <array>
#include <string>
#include <vector>

#include <gtest/gtest.h>
#include <rapidcheck.h>

namespace mutirao::orchestration {
namespace {

constexpr std::array kTypes{
    event::kRunQueued, event::kRunStarting,   event::kRunStarted,     event::kRunCancelAsked, event::kRunSucceeded,
    event::kRunFailed, event::kRunCancelled,  event::kOpStarted,      event::kOpWillRetry,    event::kOpSucceeded,
    event::kOpFailed,  event::kOpBlocked,     event::kOpSkipped,      event::kOpCancelled,    event::kOpProgress,
    event::kOpMessage, event::kResourceReady, event::kResourceLeaked, event::kResourceReaped};

struct State {
  RunRow run;
  std::map<std::string, OpRow> ops;

  Status Apply(std::string_view type, const std::string& op = "", int attempt = 0, Json data = Json::object()) {
    Event event{
        .time = WallTime(std::chrono::seconds(++time)), .type = std::string(type), .op = op, .attempt = attempt};
    event.data = std::move(data);
    Status status = Fold(event, run, ops);
    if (status.ok()) ++run.last_event;
    return status;
  }
  std::string Text() const {
    std::string text(RunStateName(run.state));
    for (const auto& [name, op] : ops) {
      text += " " + name + "=" + std::string(OpStateName(op.state)) + std::to_string(op.attempts);
    }
    return text;
  }
  int64_t time = 0;
};

State Running() {
  State state;
  for (std::string_view type : {event::kRunQueued, event::kRunStarting, event::kRunStarted}) {
    MUTIRAO_MUST(state.Apply(type));
  }
  return state;
}

TEST(Fold, FollowsAWholeRun) {
  State state = Running();
  EXPECT_EQ(state.Text(), "running");
  ASSERT_TRUE(state.Apply(event::kOpStarted, "a", 1).ok());
  ASSERT_TRUE(state.Apply(event::kOpWillRetry, "a", 1, {{"error", "no"}}).ok());
  EXPECT_EQ(state.ops["a"].error, "no");
  ASSERT_TRUE(state.Apply(event::kOpStarted, "a", 2).ok());
  ASSERT_TRUE(state.Apply(event::kOpSucceeded, "a", 2, {{"outcome", 7}}).ok());
  ASSERT_TRUE(state.Apply(event::kOpSkipped, "b").ok());
  ASSERT_TRUE(state.Apply(event::kRunSucceeded).ok());
  EXPECT_EQ(state.Text(), "succeeded a=succeeded2 b=skipped0");
  EXPECT_EQ(state.ops["a"].outcome, 7);
  EXPECT_TRUE(state.ops["a"].error.is_null());
}

TEST(Fold, CancelsWhatIsOpenWhenARunEnds) {
  State state = Running();
  for (const char* op : {"a", "b", "c"}) ASSERT_TRUE(state.Apply(event::kOpStarted, op, 1).ok());
  ASSERT_TRUE(state.Apply(event::kOpSucceeded, "a", 1).ok());
  ASSERT_TRUE(state.Apply(event::kOpWillRetry, "b", 1).ok());
  ASSERT_TRUE(state.Apply(event::kRunFailed, "", 0, {{"cause", {{"message", "killed"}}}}).ok());
  EXPECT_EQ(state.Text(), "failed a=succeeded1 b=cancelled1 c=cancelled1");
  EXPECT_EQ(state.ops["c"].error["message"], "killed");
}

TEST(Fold, NeverSucceedsAfterACancel) {
  State state = Running();
  ASSERT_TRUE(state.Apply(event::kRunCancelAsked, "", 0, {{"force", true}}).ok());
  EXPECT_TRUE(state.run.cancel_forced);
  EXPECT_EQ(state.Apply(event::kRunSucceeded).code(), StatusCode::kFailed);
  EXPECT_EQ(state.Apply(event::kRunStarted).code(), StatusCode::kInternal);
  ASSERT_TRUE(state.Apply(event::kOpStarted, "a", 1).ok()) << "its worker did not know yet";
  ASSERT_TRUE(state.Apply(event::kRunCancelled).ok());
  EXPECT_EQ(state.Text(), "cancelled a=cancelled1");
}

TEST(Fold, RefusesWhatIsNotLegal) {
  State state = Running();
  ASSERT_TRUE(state.Apply(event::kOpStarted, "a", 1).ok());
  const std::string before = state.Text();
  EXPECT_EQ(state.Apply(event::kRunSucceeded).ToString(), "event run.succeeded while the op a is running");
  EXPECT_EQ(state.Apply(event::kOpStarted, "a", 2).ToString(),
            "event op.started of op a while the op is running, attempt 2 of 1");
  EXPECT_FALSE(state.Apply(event::kOpStarted, "b", 2).ok());
  EXPECT_FALSE(state.Apply(event::kOpSucceeded, "a", 2).ok());
  EXPECT_FALSE(state.Apply(event::kOpFailed, "a").ok());
  EXPECT_FALSE(state.Apply(event::kOpSucceeded, "b", 0).ok());
  EXPECT_FALSE(state.Apply(event::kOpBlocked, "a").ok());
  EXPECT_FALSE(state.Apply(event::kRunQueued).ok());
  EXPECT_FALSE(state.Apply(event::kOpStarted).ok()) << "of no op";
  EXPECT_FALSE(state.Apply(event::kRunFailed, "a").ok()) << "of an op";
  EXPECT_EQ(state.Apply("op.exploded", "a").ToString(), "there is no event of type \"op.exploded\"");
  EXPECT_EQ(state.Text(), before);
  State fresh;
  EXPECT_FALSE(fresh.Apply(event::kRunStarted).ok());
  EXPECT_FALSE(fresh.Apply(event::kOpStarted, "a", 1).ok());
  EXPECT_FALSE(fresh.Apply(event::kRunFailed).ok()) << "nobody has claimed it";
}

// Whatever comes in whatever order: what is refused changes nothing, and what is taken keeps the invariants.
TEST(Fold, KeepsItsInvariantsInAnyOrder) {
  const bool held = rc::check([] {
    State state;
    const auto steps = *rc::gen::container<std::vector<std::tuple<size_t, int, int>>>(
        rc::gen::tuple(rc::gen::inRange<size_t>(0, kTypes.size()), rc::gen::inRange(0, 3), rc::gen::inRange(0, 4)));
    for (const auto& [type, op, attempt] : steps) {
      // Half of the sequences begin in a run that runs, or few would get that far.
      if (state.run.last_event == 0 && steps.size() % 2 == 1) state = Running();
      const State before = state;
      const bool of_op = kTypes[type].starts_with("op.");
      const std::string name = of_op ? std::string(1, static_cast<char>('a' + op)) : "";
      const Status status = state.Apply(kTypes[type], name, of_op ? attempt : 0);
      if (!status.ok()) {
        RC_ASSERT(state.Text() == before.Text());
        RC_ASSERT(state.run.last_event == before.run.last_event);
        continue;
      }
      RC_ASSERT(state.run.state >= before.run.state);
      if (IsFinal(before.run.state)) RC_ASSERT(state.Text() == before.Text());
      if (before.run.cancel_asked) RC_ASSERT(state.run.state != RunState::kSucceeded);
      for (const auto& [op_name, row] : state.ops) {
        auto old = before.ops.find(op_name);
        const int attempts = old == before.ops.end() ? 0 : old->second.attempts;
        RC_ASSERT(row.attempts == attempts || row.attempts == attempts + 1);
        if (old != before.ops.end() && IsFinal(old->second.state)) RC_ASSERT(row.state == old->second.state);
        if (row.attempts > attempts) RC_ASSERT(row.state == OpState::kRunning);
        if (IsFinal(state.run.state)) RC_ASSERT(IsFinal(row.state));
        RC_ASSERT(IsFinal(row.state) == row.ended.has_value());
      }
    }
  });
  EXPECT_TRUE(held) << "see above";
}

}  // namespace
}  // namespace mutirao::orchestration
