#include <filesystem>

#include <fmt/format.h>

#include "orchestration/store/postgres/postgres_database.h"
#include "orchestration/store/postgres/postgres_location.h"
#include "orchestration/store/sql/schema.h"
#include "orchestration/store/sql/sql_store.h"
#include "orchestration/store/sqlite/sqlite_database.h"
#include "orchestration/store/store.h"

namespace mutirao::orchestration {
namespace {

constexpr std::string_view kSqlite = "sqlite:";

Result<std::unique_ptr<SqlDatabase>> OpenDatabase(const StoreLocation& location) {
  const std::string uri = location.uri.empty() ? "sqlite:.mutirao/mutirao.db" : location.uri;
  if (uri.starts_with(kSqlite)) {
    const std::string path = uri.substr(kSqlite.size());
    if (path.empty()) return Status::Invalid("the store's location names no file").Help("write sqlite:PATH");
    const std::filesystem::path whole = std::filesystem::absolute(location.project_root) / path;
    std::unique_ptr<SqlDatabase> database = MUTIRAO_TRY(SqliteDatabase::Open(whole.lexically_normal().string()));
    return database;
  }
  if (IsPostgresLocation(uri)) {
    const std::string conninfo = MUTIRAO_TRY(ParsePostgresLocation(uri));
    std::unique_ptr<SqlDatabase> database = MUTIRAO_TRY(PostgresDatabase::Open(conninfo));
    return database;
  }
  // What was given is not printed: it may hold a password.
  return Status::Invalid("the store's location is of no known kind")
      .Help("write sqlite:PATH or postgresql://user@host:5432/database");
}

}  // namespace

Result<std::unique_ptr<Store>> OpenStore(const StoreLocation& location, const Clock& clock) {
  std::unique_ptr<SqlDatabase> database = MUTIRAO_TRY(OpenDatabase(location));
  MUTIRAO_TRY(MigrateSchema(*database, clock.Now()).Context("opening " + database->Describe()));
  return std::unique_ptr<Store>(std::make_unique<SqlStore>(std::move(database), &clock));
}

}  // namespace mutirao::orchestration
