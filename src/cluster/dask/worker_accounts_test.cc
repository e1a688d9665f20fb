#include "cluster/dask/worker_accounts.h"

#include <gtest/gtest.h>

namespace mutirao::cluster {
namespace {

Json Progress(const char* worker, int64_t memory, int64_t peak, Json tasks) {
  return {
      {"type", "progress"}, {"worker", worker}, {"memory", memory}, {"memory_peak", peak}, {"tasks", std::move(tasks)}};
}

Json Task(int64_t rows, int64_t held, int64_t spilled) {
  return {{"rows_read", rows}, {"memory_held", held}, {"bytes_spilled", spilled}};
}

TEST(WorkerAccounts, TellWhatRunsAndWhatCountedTogether) {
  WorkerAccounts accounts("r-load-1", 3.6);
  accounts.Accept("w1", {{"seconds", 2.5}, {"memory_peak", 70}, {"bytes_spilled", 5}}, 100, 900);
  const Json told = accounts.TakeProgress(
      Progress("w1", 500, 950, {{"r-load-1/0/1/0", Task(7, 40, 2)}, {"r-load-1/0/2/0", Task(3, 50, 0)}}), 1000);
  EXPECT_EQ(told["tasks"], 2);
  EXPECT_EQ(told["rows_read"], 110);
  EXPECT_EQ(told["held_bytes"], 90);
  EXPECT_EQ(told["resident_bytes"], 500);
  EXPECT_EQ(told["resident_peak_bytes"], 950);
  EXPECT_EQ(told["spilled_bytes"], 7);
  EXPECT_DOUBLE_EQ(told["cost"].get<double>(), 1.0);
  // Two tasks held more together than any alone; what runs yet does not count in the account.
  EXPECT_EQ(accounts.ToJson()["w1"], Json({{"tasks", 1},
                                           {"rows_read", 100},
                                           {"seconds", 2.5},
                                           {"held_peak_bytes", 90},
                                           {"resident_peak_bytes", 950},
                                           {"spilled_bytes", 5}}));
}

TEST(WorkerAccounts, LeaveOutOtherRunsAndWorkersWhoseWorkDidNotCount) {
  WorkerAccounts accounts("r-load-1", 0);
  EXPECT_TRUE(accounts.TakeProgress(Progress("w1", 1, 1, {{"r-other-1/0/1/0", Task(7, 40, 2)}}), 1).is_null());
  EXPECT_TRUE(accounts.TakeProgress(Progress("w1", 1, 1, Json("no object")), 1).is_null());
  const Json told = accounts.TakeProgress(
      Progress("w1", 1, 1, {{"r-other-1/0/1/0", Task(7, 40, 2)}, {"r-load-1/0/1/0", Task(1, 2, 3)}, {"?", 1}}), 1);
  EXPECT_EQ(told["rows_read"], 1);
  EXPECT_FALSE(told.contains("cost"));
  EXPECT_EQ(accounts.ToJson(), Json::object());
}

}  // namespace
}  // namespace mutirao::cluster
