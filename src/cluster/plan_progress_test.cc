#include "cluster/plan_progress.h"

#include <random>
#include <set>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace mutirao::cluster {
namespace {

using std::chrono::seconds;
using Actions = PlanProgress::Actions;
using Time = PlanProgress::Time;

Time At(double s) {
  return Time(std::chrono::duration_cast<Time::duration>(std::chrono::duration<double>(s)));
}

std::vector<AttemptId> Submitted(const Actions& actions) {
  std::vector<AttemptId> ids;
  for (const auto& action : actions) {
    if (const auto* submit = std::get_if<PlanProgress::Submit>(&action)) ids.push_back(submit->attempt);
  }
  return ids;
}

std::optional<Status> Finished(const Actions& actions) {
  for (const auto& action : actions) {
    if (const auto* finish = std::get_if<PlanProgress::Finish>(&action)) return finish->status;
  }
  return std::nullopt;
}

std::vector<AttemptId> CancelledIn(const Actions& actions) {
  std::vector<AttemptId> ids;
  for (const auto& action : actions) {
    if (const auto* cancel = std::get_if<PlanProgress::CancelAttempts>(&action)) {
      ids.insert(ids.end(), cancel->attempts.begin(), cancel->attempts.end());
    }
  }
  return ids;
}

Actions DoneOf(PlanProgress& plan, const AttemptId& id, double when = 1) {
  bool accepted = false;
  Actions actions = plan.Done(id, At(when), accepted);
  EXPECT_TRUE(accepted) << id.ToString();
  return actions;
}

// A plan whose tasks are all submitted.
struct Begun {
  explicit Begun(std::initializer_list<StageShape> stages, int slots = 4) : plan(stages, {}) {
    plan.SlotsChanged(slots, At(0));
    first = plan.Start(At(0));
  }
  PlanProgress plan;
  Actions first;
};

TEST(PlanProgress, StartsAStageWhenAllBeforeItEnded) {
  Begun begun({{2, {}}, {1, {}}, {1, {0, 1}}});
  EXPECT_THAT(Submitted(begun.first), testing::ElementsAre(AttemptId{0, 0, 0}, AttemptId{0, 1, 0}, AttemptId{1, 0, 0}));
  EXPECT_THAT(Submitted(DoneOf(begun.plan, {0, 0, 0})), testing::IsEmpty());
  EXPECT_THAT(Submitted(DoneOf(begun.plan, {1, 0, 0})), testing::IsEmpty());
  const Actions last = DoneOf(begun.plan, {0, 1, 0});
  ASSERT_EQ(last.size(), 2u);
  EXPECT_EQ(std::get<PlanProgress::Prepare>(last[0]).stage, 2);
  EXPECT_THAT(Submitted(last), testing::ElementsAre(AttemptId{2, 0, 0}));
  EXPECT_TRUE(Finished(DoneOf(begun.plan, {2, 0, 0}))->ok());
  EXPECT_TRUE(begun.plan.is_over());
}

TEST(PlanProgress, APlanWithoutTasksIsOverAtOnce) {
  PlanProgress plan({}, {});
  EXPECT_TRUE(Finished(plan.Start(At(0)))->ok());
}

TEST(PlanProgress, WaitsForWorkersAndKeepsTheClusterFull) {
  PlanProgress plan({{1000, {}}}, {});
  EXPECT_THAT(Submitted(plan.Start(At(0))), testing::IsEmpty());
  EXPECT_EQ(Submitted(plan.SlotsChanged(3, At(0))).size(), 22u);
  for (int task = 0; task < 5; ++task) EXPECT_THAT(Submitted(DoneOf(plan, {0, task, 0})), testing::IsEmpty());
  EXPECT_EQ(Submitted(DoneOf(plan, {0, 5, 0})).size(), 6u) << "several at once";
  EXPECT_EQ(plan.in_flight(), 22);
}

TEST(PlanProgress, NeverHasMoreInFlightThanTheBound) {
  Begun begun({{10000, {}}}, 5000);
  EXPECT_EQ(begun.plan.in_flight(), 4000);
}

TEST(PlanProgress, TriesATaskAgainUnderAnotherAttemptWhenItsWorkerDies) {
  Begun begun({{1, {}}});
  begun.plan.Running({0, 0, 0}, "w1", At(0));
  EXPECT_THAT(Submitted(begun.plan.Lost({0, 0, 0}, "w1", At(1))), testing::ElementsAre(AttemptId{0, 0, 1}));
  bool accepted = true;
  EXPECT_THAT(begun.plan.Done({0, 0, 0}, At(2), accepted), testing::IsEmpty());
  EXPECT_FALSE(accepted) << "a late attempt must not count";
  EXPECT_TRUE(Finished(DoneOf(begun.plan, {0, 0, 1}))->ok());
}

TEST(PlanProgress, FailsAfterThreeLossesAndNamesTheTask) {
  Begun begun({{3, {}}});
  for (int attempt = 0; attempt < 3; ++attempt) {
    begun.plan.Running({0, 1, attempt}, "w" + std::to_string(attempt), At(attempt));
    begun.plan.Lost({0, 1, attempt}, "w" + std::to_string(attempt), At(attempt));
  }
  begun.plan.Cancelled({0, 0, 0}, At(4));
  const auto finished = Finished(begun.plan.Cancelled({0, 2, 0}, At(4)));
  ASSERT_TRUE(finished);
  EXPECT_EQ(finished->code(), StatusCode::kFailed);
  EXPECT_THAT(finished->ToString(), testing::HasSubstr("task 1 of stage 0 ended with its worker 3 times"));
}

TEST(PlanProgress, ATaskThatWaitedAtADeadWorkerIsInnocent) {
  Begun begun({{2, {}}});
  for (int i = 0; i < 2; ++i) {
    const std::string worker = "w" + std::to_string(i);
    begun.plan.Running({0, 0, i}, worker, At(i));
    begun.plan.Lost({0, 0, i}, worker, At(i));
    EXPECT_FALSE(Finished(begun.plan.Lost({0, 1, i}, worker, At(i))));
  }
  begun.plan.Running({0, 1, 2}, "w7", At(5));
  EXPECT_FALSE(Finished(begun.plan.Lost({0, 1, 2}, "w7", At(5)))) << "its first own loss";
}

TEST(PlanProgress, ATaskThatKillsBeforeAnybodyKnowsThatItRunsIsFoundToo) {
  Begun begun({{1, {}}});
  for (int i = 0; i < 2; ++i) EXPECT_FALSE(Finished(begun.plan.Lost({0, 0, i}, "w" + std::to_string(i), At(i))));
  EXPECT_EQ(Finished(begun.plan.Lost({0, 0, 2}, "w2", At(3)))->code(), StatusCode::kFailed);
}

TEST(PlanProgress, WhatMayGoBetterElsewhereIsTriedThere) {
  Begun begun({{1, {}}});
  begun.plan.Running({0, 0, 0}, "w1", At(0));
  const Actions again = begun.plan.Failed({0, 0, 0}, Status::Io("disk is full"), At(1));
  ASSERT_EQ(Submitted(again).size(), 1u);
  EXPECT_THAT(std::get<PlanProgress::Submit>(again[0]).avoid, testing::ElementsAre("w1"));
  begun.plan.Failed({0, 0, 1}, Status::Io("disk is full"), At(1));
  const auto finished = Finished(begun.plan.Failed({0, 0, 2}, Status::Io("disk is full"), At(1)));
  EXPECT_EQ(finished->ToString(), "after 3 tries: task 0 of stage 0: disk is full");
}

TEST(PlanProgress, WhatIsWrongIsNotTriedAgain) {
  Begun begun({{2, {}}});
  const Actions actions = begun.plan.Failed({0, 0, 0}, Status::Invalid("line 3 is bad"), At(1));
  EXPECT_THAT(CancelledIn(actions), testing::ElementsAre(AttemptId{0, 1, 0}));
  bool accepted = true;
  const auto finished = Finished(begun.plan.Done({0, 1, 0}, At(2), accepted));
  EXPECT_FALSE(accepted);
  EXPECT_EQ(finished->code(), StatusCode::kInvalid);
}

TEST(PlanProgress, CopiesAStragglerOnceAndTakesTheFirstResult) {
  Begun begun({{4, {}}}, 4);
  for (int task = 0; task < 4; ++task) begun.plan.Running({0, task, 0}, "w" + std::to_string(task), At(0));
  for (int task = 0; task < 3; ++task) DoneOf(begun.plan, {0, task, 0}, 5);
  EXPECT_THAT(Submitted(begun.plan.Tick(At(14))), testing::IsEmpty()) << "three times the median is 15 s";
  const Actions copy = begun.plan.Tick(At(16));
  EXPECT_THAT(Submitted(copy), testing::ElementsAre(AttemptId{0, 3, 1}));
  EXPECT_THAT(std::get<PlanProgress::Submit>(copy[0]).avoid, testing::ElementsAre("w3"));
  EXPECT_THAT(Submitted(begun.plan.Tick(At(60))), testing::IsEmpty());
  const Actions done = DoneOf(begun.plan, {0, 3, 1}, 61);
  EXPECT_THAT(CancelledIn(done), testing::ElementsAre(AttemptId{0, 3, 0}));
  EXPECT_FALSE(Finished(done)) << "the slow one may still write";
  EXPECT_TRUE(Finished(begun.plan.Cancelled({0, 3, 0}, At(62)))->ok());
}

TEST(PlanProgress, FailsWhenThereIsNoWorkerForLong) {
  Begun begun({{1, {}}});
  begun.plan.SlotsChanged(0, At(10));
  EXPECT_THAT(begun.plan.Tick(At(100)), testing::IsEmpty());
  EXPECT_THAT(CancelledIn(begun.plan.Tick(At(131))), testing::SizeIs(1));
  EXPECT_EQ(Finished(begun.plan.Cancelled({0, 0, 0}, At(132)))->code(), StatusCode::kUnavailable);
}

TEST(PlanProgress, CancelEndsWhenNothingRunsAnyMore) {
  Begun begun({{2, {}}, {1, {0}}});
  EXPECT_THAT(CancelledIn(begun.plan.Cancel(Status::Cancelled("asked to"), At(1))), testing::SizeIs(2));
  EXPECT_FALSE(Finished(begun.plan.Cancelled({0, 0, 0}, At(2))));
  EXPECT_EQ(Finished(begun.plan.Lost({0, 1, 0}, "w1", At(2)))->code(), StatusCode::kCancelled);
}

// A cluster that does everything a cluster may: late, twice, never, out of order.
class Chaos {
 public:
  explicit Chaos(uint32_t seed) : random_(seed) {
    const int count = Pick(1, 5);
    for (int stage = 0; stage < count; ++stage) {
      StageShape shape{Pick(0, 12), {}};
      for (int before = 0; before < stage; ++before) {
        if (Pick(0, 2) == 0) shape.after.push_back(before);
      }
      shapes_.push_back(shape);
    }
    limits_.most_in_flight = Pick(1, 30);
    limits_.losses = limits_.failures = 1000;  // the plan must come to its end whatever happens
    limits_.without_workers = seconds(1'000'000);
    plan_.emplace(shapes_, limits_);
  }

  void Run() {
    Do(plan_->SlotsChanged(Pick(1, 6), At(0)));
    Do(plan_->Start(At(0)));
    for (int step = 0; step < 100'000 && !finished_; ++step) Step();
    ASSERT_TRUE(finished_) << "a plan must end";
    EXPECT_TRUE(finished_->ok());
    EXPECT_EQ(plan_->in_flight(), 0);
    for (size_t stage = 0; stage < shapes_.size(); ++stage) {
      EXPECT_EQ(accepted_[static_cast<int>(stage)].size(), static_cast<size_t>(shapes_[stage].tasks));
    }
  }

 private:
  int Pick(int least, int most) { return std::uniform_int_distribution<int>(least, most)(random_); }

  void Step() {
    now_ += Pick(0, 20);
    bool accepted = false;
    const AttemptId stranger{Pick(-1, 5), Pick(-1, 13), Pick(0, 9)};
    if (Pick(0, 9) == 0) Do(plan_->SlotsChanged(Pick(0, 6), At(now_)));
    if (Pick(0, 5) == 0) Do(plan_->Tick(At(now_)));
    if (!live_.contains(stranger)) {
      plan_->Running(stranger, "w0", At(now_));
      Do(plan_->Done(stranger, At(now_), accepted));
      EXPECT_FALSE(accepted);
      Do(plan_->Lost(stranger, "w0", At(now_)));
    }
    if (live_.empty()) {
      Do(plan_->SlotsChanged(2, At(now_)));
      return;
    }
    auto chosen = live_.begin();
    std::advance(chosen, Pick(0, static_cast<int>(live_.size()) - 1));
    const AttemptId id = *chosen;
    if (Pick(0, 2) == 0) return plan_->Running(id, "w" + std::to_string(Pick(0, 3)), At(now_));
    live_.erase(chosen);
    switch (Pick(0, 4)) {
      case 0:
        return Do(plan_->Lost(id, "w" + std::to_string(Pick(0, 3)), At(now_)));
      case 1:
        return Do(plan_->Failed(id, Status::Io("no"), At(now_)));
      case 2:
        if (asked_.contains(id)) return Do(plan_->Cancelled(id, At(now_)));
        [[fallthrough]];
      default:
        const Actions actions = plan_->Done(id, At(now_), accepted);
        const bool is_first = !accepted || accepted_[id.stage].insert(id.task).second;
        EXPECT_TRUE(is_first) << id.ToString() << " counted twice";
        Do(actions);
    }
  }

  void Do(const Actions& actions) {
    for (const auto& action : actions) {
      ASSERT_FALSE(finished_) << "nothing follows the end";
      if (const auto* submit = std::get_if<PlanProgress::Submit>(&action)) {
        const AttemptId& id = submit->attempt;
        EXPECT_TRUE(prepared_.contains(id.stage));
        EXPECT_TRUE(known_.insert(id).second) << "an attempt number was used twice";
        EXPECT_FALSE(accepted_[id.stage].contains(id.task));
        live_.insert(id);
      } else if (const auto* prepare = std::get_if<PlanProgress::Prepare>(&action)) {
        EXPECT_TRUE(prepared_.insert(prepare->stage).second);
        for (int before : shapes_[static_cast<size_t>(prepare->stage)].after) {
          EXPECT_EQ(accepted_[before].size(), static_cast<size_t>(shapes_[static_cast<size_t>(before)].tasks));
        }
      } else if (const auto* cancel = std::get_if<PlanProgress::CancelAttempts>(&action)) {
        asked_.insert(cancel->attempts.begin(), cancel->attempts.end());
      } else {
        finished_ = std::get<PlanProgress::Finish>(action).status;
        EXPECT_TRUE(live_.empty());
      }
    }
    EXPECT_EQ(plan_->in_flight(), static_cast<int>(live_.size()));
    EXPECT_LE(plan_->in_flight(), limits_.most_in_flight);
  }

  std::mt19937 random_;
  std::vector<StageShape> shapes_;
  PlanLimits limits_;
  std::optional<PlanProgress> plan_;
  double now_ = 0;
  std::set<AttemptId> live_, known_, asked_;
  std::set<int> prepared_;
  std::map<int, std::set<int>> accepted_;
  std::optional<Status> finished_;
};

TEST(PlanProgress, EveryTaskCountsOnceWhateverHappensInWhateverOrder) {
  for (uint32_t seed = 1; seed <= 2000; ++seed) {
    SCOPED_TRACE(seed);
    Chaos(seed).Run();
    if (HasFatalFailure() || HasNonfatalFailure()) return;
  }
}

}  // namespace
}  // namespace mutirao::cluster
