#include "orchestration/store/contract/store_contract.h"

#include <stdlib.h>
#include <unistd.h>

#include <filesystem>

#include <fmt/format.h>

#include "base/id.h"
#include "orchestration/store/contract/postgres_server.h"

namespace mutirao::orchestration {
namespace {

// Folders of databases, removed at the end of the program.
struct Folders {
  std::vector<std::string> paths;
  ~Folders() {
    std::error_code ignored;
    for (const std::string& path : paths) std::filesystem::remove_all(path, ignored);
  }
};

Result<StoreLocation> EmptySqlite() {
  static Folders folders;
  // In memory where there is such a place: a disk's flushes would make the tests ten times slower.
  std::string path = access("/dev/shm", W_OK) == 0 ? "/dev/shm/" : testing::TempDir();
  path += "mutirao-store-XXXXXX";
  if (mkdtemp(path.data()) == nullptr) return Status::Io("no folder for a test: " + path);
  folders.paths.push_back(path);
  return StoreLocation{.uri = "", .project_root = path};
}

Result<StoreLocation> EmptyPostgres() {
  PostgresServer* server = MUTIRAO_TRY(PostgresServer::Shared());
  MUTIRAO_TRY(server->Query("DROP SCHEMA IF EXISTS mutirao CASCADE"));
  return StoreLocation{.uri = server->location(), .project_root = "/"};
}

}  // namespace

std::vector<StoreBackend> StoreBackends() {
  return {{.name = "Sqlite", .make_empty = &EmptySqlite}, {.name = "Postgres", .make_empty = &EmptyPostgres}};
}

ProcessIdentity Somebody(int number) {
  return {.host = "nowhere", .boot_id = "none", .pid = number, .start_ticks = 7};
}

Event MakeEvent(std::string_view type, std::string op, int attempt, Json data) {
  return {.time = WallTime(std::chrono::sys_days(std::chrono::year(2026) / 11 / 22)),
          .type = std::string(type),
          .op = std::move(op),
          .attempt = attempt,
          .data = std::move(data)};
}

void StoreContract::SetUp() {
  Result<StoreLocation> location = GetParam().make_empty();
  if (!location.ok() && location.status().code() == StatusCode::kUnsupported) {
    GTEST_SKIP() << location.status().ToString();
  }
  ASSERT_TRUE(location.ok()) << location.status().ToString();
  location_ = *location;
  store_ = Open();
}

std::unique_ptr<Store> StoreContract::Open() {
  return MUTIRAO_MUST(OpenStore(location_, clock_));
}

RunRow StoreContract::Add(NewRun run) {
  if (run.id.empty()) run.id = MakeRunId(clock_);
  if (run.job.empty()) run.job = "job";
  Store::Added added = MUTIRAO_MUST(store_->AddRun(run));
  return added.run;
}

RunRow StoreContract::AddRunning(NewRun run) {
  RunRow row = Add(std::move(run));
  row = MUTIRAO_MUST(store_->ClaimRun(row.spec.id, Somebody(1)));
  return MUTIRAO_MUST(store_->BeginRun(row.spec.id, row.claim, Somebody(2), {{"params", 1}}, {"b", "a"}));
}

Status StoreContract::Tell(const RunRow& run, std::vector<Event> events) {
  return store_->Write({.run_id = run.spec.id, .claim = run.claim, .events = std::move(events)}).status();
}

RunState StoreContract::State(const std::string& run_id) {
  RunRow run = MUTIRAO_MUST(store_->GetRun(run_id));
  return run.state;
}

std::string StoreContract::Ops(const std::string& run_id) {
  std::string text;
  std::vector<OpRow> ops = MUTIRAO_MUST(store_->GetOps(run_id));
  for (const OpRow& op : ops) {
    text += fmt::format("{}{}={}", text.empty() ? "" : " ", op.op, OpStateName(op.state));
  }
  return text;
}

}  // namespace mutirao::orchestration
