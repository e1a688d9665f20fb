#include "orchestration/store/sql/schema.h"

#include <fmt/format.h>

#include "base/crash_point.h"

namespace mutirao::orchestration {
namespace {

// {counted} and {ordered} stand for what the two databases write differently. What is long comes last in a row, so that
// SQLite lists runs without reading it. A migration that was released is never changed: the next one corrects it.
const std::vector<std::vector<std::string>> kMigrations = {
    {
        R"(CREATE TABLE runs (
             place {counted},
             id TEXT NOT NULL UNIQUE,
             job TEXT NOT NULL,
             state TEXT NOT NULL,
             priority BIGINT NOT NULL,
             queued BIGINT NOT NULL,
             started BIGINT,
             ended BIGINT,
             not_before BIGINT,
             heartbeat BIGINT,
             last_event BIGINT NOT NULL,
             cancel_asked BIGINT NOT NULL,
             cancel_forced BIGINT NOT NULL,
             leaked BIGINT NOT NULL,
             claim TEXT NOT NULL,
             earlier_claim TEXT NOT NULL,
             last_write TEXT NOT NULL,
             last_write_event BIGINT NOT NULL,
             root_id TEXT NOT NULL,
             parent_id TEXT NOT NULL,
             tick_job TEXT,
             tick_schedule TEXT,
             tick_time BIGINT,
             partition_key TEXT NOT NULL,
             idempotency_key TEXT UNIQUE,
             server TEXT,
             worker TEXT,
             tags TEXT NOT NULL,
             resources TEXT NOT NULL,
             job_file TEXT NOT NULL,
             project_root TEXT NOT NULL,
             cause TEXT,
             request TEXT NOT NULL,
             config TEXT,
             UNIQUE (tick_job, tick_schedule, tick_time)))",
        "CREATE INDEX runs_of_job ON runs (job, place)",
        "CREATE INDEX runs_of_family ON runs (root_id, place)",
        "CREATE INDEX runs_by_state ON runs (state, place)",
        "CREATE INDEX runs_waiting ON runs (priority DESC, place) WHERE state = 'queued'",
        "CREATE INDEX runs_active ON runs (place) WHERE ended IS NULL AND state <> 'queued'",
        R"(CREATE TABLE events (
             run_id TEXT NOT NULL,
             number BIGINT NOT NULL,
             time BIGINT NOT NULL,
             type TEXT NOT NULL,
             op TEXT NOT NULL,
             attempt BIGINT NOT NULL,
             data TEXT NOT NULL,
             PRIMARY KEY (run_id, number)) {ordered})",
        R"(CREATE TABLE ops (
             run_id TEXT NOT NULL,
             place BIGINT NOT NULL,
             op TEXT NOT NULL,
             state TEXT NOT NULL,
             attempts BIGINT NOT NULL,
             started BIGINT,
             ended BIGINT,
             error TEXT,
             outcome TEXT,
             PRIMARY KEY (run_id, op)))",
        R"(CREATE TABLE leases (
             name TEXT PRIMARY KEY,
             kind TEXT NOT NULL,
             run_id TEXT NOT NULL,
             resource TEXT NOT NULL,
             owner TEXT NOT NULL,
             state TEXT NOT NULL,
             created BIGINT NOT NULL,
             changed BIGINT NOT NULL,
             heartbeat BIGINT NOT NULL,
             reap_attempts BIGINT NOT NULL,
             next_reap BIGINT,
             error TEXT NOT NULL,
             intent TEXT NOT NULL,
             handle TEXT))",
        "CREATE INDEX leases_open ON leases (owner) WHERE state <> 'closed'",
        "CREATE INDEX leases_of_run ON leases (run_id)",
        R"(CREATE TABLE schedules (
             job TEXT NOT NULL,
             schedule TEXT NOT NULL,
             enabled BIGINT NOT NULL,
             decided_up_to BIGINT NOT NULL,
             definition_hash TEXT NOT NULL,
             PRIMARY KEY (job, schedule)))",
        R"(CREATE TABLE ticks (
             job TEXT NOT NULL,
             schedule TEXT NOT NULL,
             time BIGINT NOT NULL,
             state TEXT NOT NULL,
             decided BIGINT NOT NULL,
             run_id TEXT NOT NULL,
             reason TEXT NOT NULL,
             PRIMARY KEY (job, schedule, time)))",
        R"(CREATE TABLE leadership (
             place BIGINT PRIMARY KEY,
             holder TEXT,
             epoch BIGINT NOT NULL,
             expires BIGINT NOT NULL))",
        "INSERT INTO leadership (place, holder, epoch, expires) VALUES (1, NULL, 0, 0)",
        R"(CREATE TABLE outbox (
             id {counted},
             key TEXT NOT NULL UNIQUE,
             kind TEXT NOT NULL,
             run_id TEXT NOT NULL,
             target TEXT,
             payload TEXT,
             attempts BIGINT NOT NULL,
             next BIGINT NOT NULL,
             sent BIGINT,
             given_up BIGINT NOT NULL,
             error TEXT NOT NULL))",
        "CREATE INDEX outbox_waiting ON outbox (next) WHERE sent IS NULL AND given_up = 0",
        "CREATE INDEX outbox_of_run ON outbox (run_id)",
        // One row, locked while a server looks for the next run: limits hold over all servers.
        "CREATE TABLE queue_turn (place BIGINT PRIMARY KEY)",
        "INSERT INTO queue_turn (place) VALUES (1)",
    },
};

std::string ForDatabase(std::string statement, const SqlSession& sql) {
  for (const auto& [word, text] : {std::pair<std::string_view, std::string_view>{"{counted}", sql.counted_key()},
                                   {"{ordered}", sql.ordered_by_key()}}) {
    if (size_t at = statement.find(word); at != std::string::npos) statement.replace(at, word.size(), text);
  }
  return statement;
}

// 0: there are no tables yet.
Result<int> SchemaVersion(SqlSession& sql) {
  const bool has_tables = MUTIRAO_TRY(sql.HasTable("schema_version"));
  if (!has_tables) return 0;
  SqlAnswer answer = MUTIRAO_TRY(sql.Run("SELECT max(version) FROM schema_version"));
  const int version = static_cast<int>(answer.rows[0].Number(0));
  if (version <= LatestSchemaVersion()) return version;
  return Status::Unsupported(fmt::format("the store was written by a newer mutirao: its tables have version {}, this "
                                         "program knows up to {}",
                                         version, LatestSchemaVersion()))
      .Help("use the newer program, or another store: MUTIRAO_STORE=sqlite:PATH");
}

Status Migrate(SqlSession& sql, WallTime now) {
  MUTIRAO_TRY(sql.LockTables());
  // Another process may have been quicker.
  const int version = MUTIRAO_TRY(SchemaVersion(sql));
  if (version == 0)
    MUTIRAO_TRY(sql.Run("CREATE TABLE schema_version (version BIGINT NOT NULL, applied BIGINT NOT NULL)"));
  for (int next = version + 1; next <= LatestSchemaVersion(); ++next) {
    for (const std::string& statement : kMigrations[static_cast<size_t>(next) - 1]) {
      MUTIRAO_TRY(sql.Run(ForDatabase(statement, sql)).Context(fmt::format("migration {}", next)));
      CrashPoint("store.migrate");
    }
    MUTIRAO_TRY(sql.Run("INSERT INTO schema_version (version, applied) VALUES ($1, $2)", {next, now}));
  }
  return Status::Ok();
}

}  // namespace

int LatestSchemaVersion() {
  return static_cast<int>(kMigrations.size());
}

Status MigrateSchema(SqlDatabase& database, WallTime now) {
  int version = 0;
  MUTIRAO_TRY(database.Read([&](SqlSession& sql) -> Status {
    version = MUTIRAO_TRY(SchemaVersion(sql));
    return Status::Ok();
  }));
  if (version == LatestSchemaVersion()) return Status::Ok();
  return database.Change([&](SqlSession& sql) { return Migrate(sql, now); });
}

}  // namespace mutirao::orchestration
