#include "base/thread_pool.h"

#include <atomic>

#include <gtest/gtest.h>

namespace mutirao {
namespace {

TEST(ThreadPool, RunsEverythingBeforeWaitReturns) {
  std::atomic<int> done = 0;
  ThreadPool pool(3);
  for (int i = 0; i < 1000; ++i) pool.Submit([&] { ++done; });
  pool.Wait();
  EXPECT_EQ(done, 1000);
}

TEST(RunWorkers, GivesTheFirstRealFailureAndStopsTheOthers) {
  std::stop_source stop;
  Status status = RunWorkers(4, stop, [&](int worker) -> Status {
    if (worker == 2) return Status::Io("disk is gone");
    while (!stop.stop_requested()) std::this_thread::yield();
    return Status::Cancelled("asked to stop");
  });
  EXPECT_EQ(status.ToString(), "disk is gone");
}

TEST(RunWorkers, TurnsAnExceptionIntoAStatus) {
  std::stop_source stop;
  Status status = RunWorkers(2, stop, [](int) -> Status { throw std::bad_alloc(); });
  EXPECT_EQ(status.code(), StatusCode::kExhausted);
}

TEST(Machine, HasCoresAndMemory) {
  EXPECT_GE(AvailableCores(), 1);
  EXPECT_GT(AvailableMemory(), int64_t{1} << 26);
}

}  // namespace
}  // namespace mutirao
