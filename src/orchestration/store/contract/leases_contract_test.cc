#include <gmock/gmock.h>

#include "orchestration/store/contract/store_contract.h"

namespace mutirao::orchestration {
namespace {

using std::chrono::seconds;

class StoreLeases : public StoreContract {
 protected:
  Lease MakeLease(const std::string& name, const std::string& run_id = "") {
    return {.name = name,
            .kind = "process",
            .run_id = run_id,
            .resource = "compute",
            .owner = Somebody(1),
            .intent = {{"region", "sa-east-1"}},
            .created = clock_.Now(),
            .changed = clock_.Now(),
            .heartbeat = clock_.Now()};
  }
  Lease Get(const std::string& name) {
    for (Lease& lease : MUTIRAO_MUST(store_->ListLeases(false))) {
      if (lease.name == name) return std::move(lease);
    }
    return {};
  }
};
MUTIRAO_STORE_CONTRACT(StoreLeases);

TEST_P(StoreLeases, KeepsALeaseThroughItsSteps) {
  Lease lease = MakeLease("l-1", "20260101-000000-00000000");
  ASSERT_TRUE(store_->AddLease(lease).ok());
  EXPECT_EQ(Get("l-1").ToJson(), lease.ToJson());
  lease.state = LeaseState::kHeld;
  lease.handle = {{"pid", 17}};
  ASSERT_TRUE(store_->UpdateLease(lease).ok());
  lease.state = LeaseState::kReleasing;
  lease.handle = nullptr;  // not told again
  ASSERT_TRUE(store_->UpdateLease(lease).ok());
  EXPECT_EQ(Get("l-1").handle, Json({{"pid", 17}}));
  EXPECT_EQ(MUTIRAO_MUST(store_->ListLeases(true)).size(), 1u);
  EXPECT_EQ(MUTIRAO_MUST(store_->ListLeases(true, "20260101-000000-00000000")).size(), 1u);
  EXPECT_EQ(MUTIRAO_MUST(store_->ListLeases(true, "20260101-000000-00000001")).size(), 0u);
  lease.state = LeaseState::kClosed;
  ASSERT_TRUE(store_->UpdateLease(lease).ok());
  ASSERT_TRUE(store_->UpdateLease(lease).ok());
  EXPECT_EQ(MUTIRAO_MUST(store_->ListLeases(true)).size(), 0u);
  lease.state = LeaseState::kHeld;
  EXPECT_EQ(store_->UpdateLease(lease).code(), StatusCode::kInternal);
}

TEST_P(StoreLeases, UsesANameOnce) {
  Lease lease = MakeLease("l-1");
  ASSERT_TRUE(store_->AddLease(lease).ok());
  ASSERT_TRUE(store_->AddLease(lease).ok()) << "the same call, as after a lost answer";
  Lease another = lease;
  another.owner = Somebody(2);
  EXPECT_EQ(store_->AddLease(another).code(), StatusCode::kAlreadyExists);
  lease.state = LeaseState::kClosed;
  ASSERT_TRUE(store_->UpdateLease(lease).ok());
  EXPECT_EQ(store_->AddLease(MakeLease("l-1")).code(), StatusCode::kAlreadyExists);
  EXPECT_EQ(store_->AddLease(MakeLease("")).code(), StatusCode::kInvalid);
  EXPECT_EQ(store_->UpdateLease(MakeLease("l-2")).code(), StatusCode::kNotFound);
}

TEST_P(StoreLeases, GivesALeaseToOneReaper) {
  Lease lease = MakeLease("l-1");
  ASSERT_TRUE(store_->AddLease(lease).ok());
  EXPECT_FALSE(MUTIRAO_MUST(store_->TakeLease("l-1", Somebody(5), Somebody(2), clock_.Now())));
  EXPECT_FALSE(MUTIRAO_MUST(store_->TakeLease("l-2", Somebody(1), Somebody(2), clock_.Now())));
  std::optional<Lease> taken = MUTIRAO_MUST(store_->TakeLease("l-1", Somebody(1), Somebody(2), clock_.Now()));
  ASSERT_TRUE(taken);
  EXPECT_EQ(taken->owner, Somebody(2));
  EXPECT_EQ(taken->intent, lease.intent);
  EXPECT_TRUE(MUTIRAO_MUST(store_->TakeLease("l-1", Somebody(1), Somebody(2), clock_.Now())))
      << "the same call, as after a lost answer";
  EXPECT_FALSE(MUTIRAO_MUST(store_->TakeLease("l-1", Somebody(1), Somebody(3), clock_.Now())));
  lease.state = LeaseState::kHeld;
  EXPECT_EQ(store_->UpdateLease(lease).code(), StatusCode::kCancelled) << "the old owner woke up";
  taken->reap_attempts = 2;
  taken->next_reap = clock_.Now() + seconds(9);
  taken->error = "no answer";
  ASSERT_TRUE(store_->UpdateLease(*taken).ok());
  EXPECT_EQ(Get("l-1").ToJson(), taken->ToJson());
  taken->state = LeaseState::kClosed;
  ASSERT_TRUE(store_->UpdateLease(*taken).ok());
  EXPECT_FALSE(MUTIRAO_MUST(store_->TakeLease("l-1", Somebody(2), Somebody(3), clock_.Now())));
}

TEST_P(StoreLeases, HeartbeatsOpenLeasesOfTheirOwner) {
  ASSERT_TRUE(store_->AddLease(MakeLease("mine")).ok());
  Lease other = MakeLease("other");
  other.owner = Somebody(2);
  ASSERT_TRUE(store_->AddLease(other).ok());
  clock_.Advance(seconds(30));
  ASSERT_TRUE(store_->Heartbeat(Somebody(1), clock_.Now()).ok());
  EXPECT_EQ(Get("mine").heartbeat, clock_.Now());
  EXPECT_EQ(Get("other").heartbeat, clock_.Now() - seconds(30));
}

TEST_P(StoreLeases, ClearsALeakWithTheLastLease) {
  RunRow run = AddRunning();
  Lease one = MakeLease("l-1", run.spec.id);
  Lease two = MakeLease("l-2", run.spec.id);
  ASSERT_TRUE(store_->AddLease(one).ok() && store_->AddLease(two).ok());
  ASSERT_TRUE(Tell(run, {MakeEvent(event::kResourceLeaked, "", 0, {{"resource", "compute"}}),
                         MakeEvent(event::kRunFailed, "", 0, {{"leaked", true}})})
                  .ok());
  one.state = two.state = LeaseState::kClosed;
  ASSERT_TRUE(store_->UpdateLease(one).ok());
  EXPECT_TRUE(MUTIRAO_MUST(store_->GetRun(run.spec.id)).leaked);
  ASSERT_TRUE(store_->UpdateLease(two).ok());
  EXPECT_FALSE(MUTIRAO_MUST(store_->GetRun(run.spec.id)).leaked);
  EXPECT_TRUE(Tell(run, {MakeEvent(event::kResourceReaped, "", 0, {{"lease", "l-2"}})}).ok())
      << "what became of resources is told after the end too";
  EXPECT_EQ(Tell(run, {MakeEvent(event::kOpProgress, "a", 1)}).code(), StatusCode::kInternal);
}

}  // namespace
}  // namespace mutirao::orchestration
