#pragma once

#include <memory>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "orchestration/store/store.h"

namespace mutirao::orchestration {

/// A kind of database that all tests of the contract run on.
struct StoreBackend {
  std::string name;
  /// Make an empty one and say where it is. Errors: kUnsupported where the tests cannot have it.
  Result<StoreLocation> (*make_empty)();
};

/// What every store must do, whatever its database. The tests are in the *_contract_test.cc beside this file.
class StoreContract : public testing::TestWithParam<StoreBackend> {
 protected:
  void SetUp() override;

  /// Open the test's database once more, as another process would.
  std::unique_ptr<Store> Open();

  /// Add a queued run of a job, with what a test wants to be special.
  RunRow Add(NewRun run = {});
  /// Add a run and bring it to kRunning, with two pending ops "a" and "b".
  RunRow AddRunning(NewRun run = {});
  /// Write events under the run's claim; their numbers start where the run stands.
  Status Tell(const RunRow& run, std::vector<Event> events);
  RunState State(const std::string& run_id);
  /// "a=running b=pending"
  std::string Ops(const std::string& run_id);

  ManualClock clock_{WallTime(std::chrono::sys_days(std::chrono::year(2026) / 11 / 22) + std::chrono::hours(10))};
  StoreLocation location_;
  std::unique_ptr<Store> store_;
};

/// A process that does not exist, told apart by its number.
ProcessIdentity Somebody(int number);

Event MakeEvent(std::string_view type, std::string op = "", int attempt = 0, Json data = Json::object());

/// The backends that this build knows.
std::vector<StoreBackend> StoreBackends();

/// Run all tests of a suite on each backend.
#define MUTIRAO_STORE_CONTRACT(Suite)                                                                \
  INSTANTIATE_TEST_SUITE_P(Any, Suite, testing::ValuesIn(::mutirao::orchestration::StoreBackends()), \
                           [](const auto& backend) { return backend.param.name; })

}  // namespace mutirao::orchestration
