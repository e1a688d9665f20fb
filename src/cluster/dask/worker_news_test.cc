#include "cluster/dask/worker_news.h"

#include <map>

#include <fmt/format.h>
#include <gtest/gtest.h>

namespace mutirao::cluster {
namespace {

using std::chrono::milliseconds;

constexpr WorkerNews::Time kBegin{std::chrono::hours(1)};

TEST(WorkerNews, TellsOfFewWorkersAtOnce) {
  WorkerNews news;
  for (int second = 0; second < 5; ++second) {
    for (int half = 0; half < 2; ++half) {
      const auto now = kBegin + milliseconds(1000 * second + 500 * half);
      for (const char* worker : {"a", "b", "c", "d", "e"}) {
        news.Put(worker, worker);
        EXPECT_EQ(news.Next(now), Json(worker));
        EXPECT_EQ(news.Next(now), std::nullopt);
      }
    }
  }
}

TEST(WorkerNews, TellsOfManyInTurnTheLatestOfEach) {
  WorkerNews news;
  std::map<std::string, int> times, latest;
  int told = 0;
  for (int tick = 0; tick < 300; ++tick) {  // 30 seconds of 100 workers that say something every half second
    if (tick % 5 == 0) {
      for (int worker = 0; worker < 100; ++worker) news.Put(fmt::format("{}", worker), {{"n", worker}, {"tick", tick}});
    }
    while (std::optional<Json> next = news.Next(kBegin + milliseconds(100 * tick))) {
      ++told;
      ++times[(*next)["n"].dump()];
      EXPECT_GE((*next)["tick"].get<int>(), tick - 4) << "old news";
    }
  }
  EXPECT_LE(told, 31 * WorkerNews::kMostASecond);
  EXPECT_GE(told, 29 * WorkerNews::kMostASecond);
  ASSERT_EQ(times.size(), 100U);
  for (const auto& [worker, count] : times) EXPECT_GE(count, 2) << worker;
}

TEST(WorkerNews, KeepsTheLastOfEachForTheEnd) {
  WorkerNews news;
  for (int worker = 0; worker < 50; ++worker) news.Put(fmt::format("{}", worker), 1);
  while (news.Next(kBegin)) {
  }
  for (int worker = 0; worker < 50; ++worker) news.Put(fmt::format("{}", worker), 2);
  int last = 0;
  while (std::optional<Json> told = news.Last()) {
    EXPECT_EQ(*told, Json(2));
    ++last;
  }
  EXPECT_EQ(last, 50);
}

}  // namespace
}  // namespace mutirao::cluster
