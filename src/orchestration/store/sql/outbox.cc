#include "orchestration/store/sql/outbox.h"

#include <algorithm>

#include <fmt/format.h>

#include "orchestration/store/sql/columns.h"

namespace mutirao::orchestration {
namespace {

std::vector<OutboxRow> ReadAll(const SqlAnswer& answer) {
  std::vector<OutboxRow> rows;
  for (const SqlRow& row : answer.rows) rows.push_back(ReadOutbox(row));
  return rows;
}

}  // namespace

Result<std::vector<OutboxRow>> TakeOutbox(SqlSession& sql, WallTime now, Duration lease, int limit) {
  SqlAnswer answer = MUTIRAO_TRY(
      sql.Run(fmt::format("UPDATE outbox SET next = $1 WHERE id IN (SELECT id FROM outbox WHERE sent IS NULL AND "
                          "given_up = 0 AND next <= $2 ORDER BY next, id LIMIT $3{}) RETURNING {}",
                          sql.skip_locked(), kOutboxColumns),
              {now + lease, now, limit}));
  std::vector<OutboxRow> rows = ReadAll(answer);
  std::ranges::sort(rows, {}, &OutboxRow::id);
  return rows;
}

Status UpdateOutbox(SqlSession& sql, const OutboxRow& row) {
  SqlAnswer answer = MUTIRAO_TRY(
      sql.Run("UPDATE outbox SET attempts = $2, next = $3, sent = coalesce(sent, $4), given_up = $5, error = $6 "
              "WHERE id = $1",
              {row.id, row.attempts, row.next, row.sent, row.given_up, row.error}));
  if (answer.changed == 0) return Status::NotFound(fmt::format("there is no message {}", row.id));
  return Status::Ok();
}

Result<std::vector<OutboxRow>> ListOutbox(SqlSession& sql, const std::string& run_id, int limit) {
  std::string statement = "SELECT " + kOutboxColumns + " FROM outbox";
  SqlArguments arguments{limit};
  if (!run_id.empty()) {
    statement += " WHERE run_id = $2";
    arguments.emplace_back(run_id);
  }
  SqlAnswer answer = MUTIRAO_TRY(sql.Run(statement + " ORDER BY id DESC LIMIT $1", arguments));
  return ReadAll(answer);
}

}  // namespace mutirao::orchestration
