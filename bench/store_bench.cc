// Measures the store: what a run's transactions cost, and whether large stores stay quick.
//
//     mutirao-store-bench [LOCATION]     sqlite:PATH or postgresql:…; default: a new file in the working folder

#include <sys/resource.h>
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <string>

#include <fmt/format.h>

#include "base/id.h"
#include "orchestration/store/store.h"

namespace mutirao::orchestration {
namespace {

double Now() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

double CpuSeconds() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  auto seconds = [](const timeval& time) {
    return static_cast<double>(time.tv_sec) + 1e-6 * static_cast<double>(time.tv_usec);
  };
  return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

int64_t ResidentKilobytes() {
  std::ifstream statm("/proc/self/statm");
  int64_t size = 0;
  int64_t resident = 0;
  statm >> size >> resident;
  return resident * (sysconf(_SC_PAGESIZE) / 1024);
}

void Report(const std::string& what, const std::string& figure) {
  fmt::print("{:<58} {}\n", what, figure);
  std::fflush(stdout);
}

Event Make(std::string_view type, std::string op = "", int attempt = 0, Json data = Json::object()) {
  return {.time = Clock::System().Now(),
          .type = std::string(type),
          .op = std::move(op),
          .attempt = attempt,
          .data = std::move(data)};
}

// The transactions of a run of two ops, as the queue, its worker and a server make them.
void RunTwoOps(Store& store, const ProcessIdentity& self) {
  MUTIRAO_MUST(store.AddRun({.id = MakeRunId(), .job = "bench", .request = {{"params", {{"input", "data"}}}}}));
  auto run = MUTIRAO_MUST(store.ClaimNextRun(self, {}, Clock::System().Now()));
  MUTIRAO_CHECK(run.has_value());
  const std::string& id = run->spec.id;
  MUTIRAO_MUST(store.BeginRun(id, run->claim, self, {{"params", {{"input", "data"}}}}, {"a", "b"}));
  MUTIRAO_MUST(store.Write({.run_id = id, .claim = run->claim, .events = {Make(event::kOpStarted, "a", 1)}}));
  MUTIRAO_MUST(store.Write({.run_id = id,
                            .claim = run->claim,
                            .events = {Make(event::kOpSucceeded, "a", 1), Make(event::kOpStarted, "b", 1)}}));
  MUTIRAO_MUST(store.Write(
      {.run_id = id, .claim = run->claim, .events = {Make(event::kOpSucceeded, "b", 1), Make(event::kRunSucceeded)}}));
}

void MeasureRuns(Store& store, const ProcessIdentity& self) {
  constexpr int kRuns = 1000;
  const double begin = Now();
  for (int i = 0; i < kRuns; ++i) RunTwoOps(store, self);
  const double seconds = Now() - begin;
  Report("1,000 runs of two ops, six transactions each",
         fmt::format("{:.2f} s, {:.2f} ms a transaction", seconds, seconds / 6));
}

void MeasureListing(const StoreLocation& location, Store& store) {
  for (int i = 0; i < 9000; ++i) MUTIRAO_MUST(store.AddRun({.id = MakeRunId(), .job = i % 2 ? "odd" : "even"}));
  double begin = Now();
  std::unique_ptr<Store> fresh = MUTIRAO_MUST(OpenStore(location));
  const double opened = Now() - begin;
  begin = Now();
  std::vector<RunRow> page = MUTIRAO_MUST(fresh->ListRuns({.limit = 50}));
  Report("10,000 runs: open / newest 50", fmt::format("{:.1f} ms / {:.1f} ms", 1000 * opened, 1000 * (Now() - begin)));
  begin = Now();
  page = MUTIRAO_MUST(fresh->ListRuns({.job = "bench", .before_id = page.back().spec.id, .limit = 50}));
  Report("10,000 runs: 50 of one job, next page", fmt::format("{:.1f} ms", 1000 * (Now() - begin)));
  begin = Now();
  page = MUTIRAO_MUST(fresh->ListRuns({.states = {RunState::kRunning, RunState::kFailed}, .limit = 50}));
  Report("10,000 runs: 50 by state", fmt::format("{:.1f} ms", 1000 * (Now() - begin)));
  begin = Now();
  MUTIRAO_MUST(fresh->Statistics());
  Report("10,000 runs: statistics", fmt::format("{:.1f} ms", 1000 * (Now() - begin)));
  begin = Now();
  MUTIRAO_MUST(fresh->ExplainQueue({.max_runs = 0}, Clock::System().Now()));
  Report("9,000 queued: why each waits", fmt::format("{:.1f} ms", 1000 * (Now() - begin)));
}

void MeasureEvents(Store& store, const ProcessIdentity& self) {
  RunRow run = MUTIRAO_MUST(store.AddRun({.id = MakeRunId(), .job = "events"})).run;
  run = MUTIRAO_MUST(store.ClaimRun(run.spec.id, self));
  run = MUTIRAO_MUST(store.BeginRun(run.spec.id, run.claim, self, {}, {"a"}));
  const std::vector<Event> batch(100, Make(event::kOpProgress, "a", 1, {{"rows", 123456789}, {"bytes", 12345678901}}));
  double begin = Now();
  for (int i = 0; i < 1000; ++i) {
    MUTIRAO_MUST(store.Write({.run_id = run.spec.id, .claim = run.claim, .events = batch}));
  }
  Report("100,000 events of one run, 100 a write", fmt::format("{:.2f} s", Now() - begin));
  begin = Now();
  std::vector<Event> page = MUTIRAO_MUST(store.ReadEvents(run.spec.id, 50'000, 500));
  Report("500 of them from the middle", fmt::format("{:.1f} ms", 1000 * (Now() - begin)));
  begin = Now();
  int64_t after = 0;
  while (!(page = MUTIRAO_MUST(store.ReadEvents(run.spec.id, after, 500))).empty()) after = page.back().number;
  Report("all of them in pages of 500",
         fmt::format("{:.2f} s, process has {} MB", Now() - begin, ResidentKilobytes() / 1024));
  const double cpu = CpuSeconds();
  MUTIRAO_MUST(store.WaitForEvents(run.spec.id, after, std::chrono::seconds(10), {}));
  Report("waiting for the next, 10 s", fmt::format("{:.2f} % of a core", 10 * (CpuSeconds() - cpu)));
  begin = Now();
  MUTIRAO_MUST(store.Write({.run_id = run.spec.id, .claim = run.claim, .events = {Make(event::kRunFailed)}}));
  PruneResult pruned = MUTIRAO_MUST(store.Prune({.runs_count = 0}, Clock::System().Now(), false));
  Report(fmt::format("prune {} runs and their events", pruned.runs.size()), fmt::format("{:.2f} s", Now() - begin));
}

}  // namespace
}  // namespace mutirao::orchestration

int main(int argc, char** argv) {
  using namespace mutirao;
  using namespace mutirao::orchestration;
  const std::string folder = std::filesystem::current_path().string();
  const std::string file = folder + "/store-bench-" + RandomHex(8) + ".db";
  const StoreLocation location{.uri = argc > 1 ? argv[1] : "sqlite:" + file, .project_root = folder};
  const ProcessIdentity self = ThisProcess();
  std::unique_ptr<Store> store = MUTIRAO_MUST(OpenStore(location));
  fmt::print("{}\n", store->Describe());
  MeasureRuns(*store, self);
  MeasureListing(location, *store);
  MeasureEvents(*store, self);
  store.reset();
  for (const char* suffix : {"", "-journal", "-wal", "-shm"}) std::filesystem::remove(file + suffix);
  return 0;
}
