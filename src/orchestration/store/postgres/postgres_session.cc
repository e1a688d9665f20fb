#include "orchestration/store/postgres/postgres_session.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstring>

#include <fmt/format.h>

#include "base/log.h"
#include "orchestration/store/postgres/libpq.h"

namespace mutirao::orchestration {
namespace {

using namespace libpq;

struct Clear {
  void operator()(PGresult* result) const { PQclear(result); }
};
using ResultHandle = std::unique_ptr<PGresult, Clear>;

// What the server says, on one line and without secrets.
std::string OneLine(const char* message) {
  std::string text = Redactor::Global().Mask(message);
  while (!text.empty() && (text.back() == '\n' || text.back() == ' ')) text.pop_back();
  std::ranges::replace(text, '\n', ' ');
  std::ranges::replace(text, '\t', ' ');
  return text;
}

// libpq gives no code for a connection that was refused, so the words must do. What is not known here is tried again.
bool CannotPass(std::string_view message) {
  constexpr std::array<std::string_view, 7> kWords{"authentication failed", "does not exist",    "no pg_hba.conf entry",
                                                   "no password supplied",  "permission denied", "invalid",
                                                   "does not support SSL"};
  return std::ranges::any_of(kWords, [&](auto word) { return message.find(word) != std::string_view::npos; });
}

// The server takes UTF-8 without zero bytes only.
std::string CleanText(const std::string& text) {
  const bool plain = std::ranges::all_of(text, [](char c) { return c > 0; });
  if (plain) return text;
  const std::string quoted = Json(text).dump(-1, ' ', false, Json::error_handler_t::replace);
  std::string clean = Json::parse(quoted, nullptr, false).get<std::string>();
  for (size_t at = clean.find('\0'); at != std::string::npos; at = clean.find('\0', at)) {
    clean.replace(at, 1, "\xEF\xBF\xBD");
  }
  return clean;
}

SqlValue ReadValue(const PGresult* result, int row, int column) {
  if (PQgetisnull(result, row, column)) return {};
  const char* text = PQgetvalue(result, row, column);
  const auto length = static_cast<size_t>(PQgetlength(result, row, column));
  constexpr Oid kInt8 = 20;
  constexpr Oid kInt4 = 23;
  const Oid type = PQftype(result, column);
  if (type != kInt8 && type != kInt4) return std::string(text, length);
  int64_t number = 0;
  std::from_chars(text, text + length, number);
  return number;
}

bool MayPass(std::string_view state) {
  constexpr std::array<std::string_view, 10> kStates{
      "40001", "40P01",                             // two transactions in each other's way
      "55P03", "57014",                             // a lock or a statement took too long
      "57P01", "57P02", "57P03", "25P03", "25006",  // the server ends, starts, gave up on us, is no primary any more
      "53300"};                                     // too many connections
  return state.starts_with("08") || std::ranges::find(kStates, state) != kStates.end();
}

}  // namespace

Result<std::unique_ptr<PostgresSession>> PostgresSession::Connect(const std::string& conninfo) {
  MUTIRAO_TRY(library.Load());
  // Earlier ones give way to what the location says.
  const std::array<const char*, 9> keywords{"connect_timeout",  "keepalives_idle",  "keepalives_interval",
                                            "keepalives_count", "tcp_user_timeout", "dbname",
                                            "application_name", "client_encoding",  nullptr};
  const std::array<const char*, 9> values{"10", "10", "5", "3", "20000", conninfo.c_str(), "mutirao", "UTF8", nullptr};
  PGconn* connection = PQconnectdbParams(keywords.data(), values.data(), 1);
  if (connection == nullptr) return Status::Exhausted("no memory for a database connection");
  std::unique_ptr<PostgresSession> session(new PostgresSession(connection));
  if (PQstatus(connection) != CONNECTION_OK) {
    const std::string message = OneLine(PQerrorMessage(connection));
    if (CannotPass(message)) {
      return Status::Invalid(message).Help("check the store's location: MUTIRAO_STORE, or store: in mutirao.yaml");
    }
    return Status::Unavailable(message);
  }
  PQsetNoticeProcessor(
      connection, [](void*, const char*) {}, nullptr);
  MUTIRAO_TRY(session->Prepare());
  return session;
}

Status PostgresSession::Prepare() {
  // A transaction that rests is one of a process that was stopped: the server ends it, so that nobody waits for its
  // locks. An answer means that the change is on disk, whatever the server's default.
  ResultHandle result(PQexec(
      connection_,
      "SET search_path TO mutirao; SET lock_timeout = '15s'; SET statement_timeout = '60s'; "
      "SET idle_in_transaction_session_timeout = '15s'; SET client_min_messages = 'warning'; "
      "SELECT set_config('synchronous_commit', 'on', false) WHERE current_setting('synchronous_commit') = 'off'"));
  if (PQresultStatus(result.get()) != PGRES_TUPLES_OK) return Failure(result.get());
  return Status::Ok();
}

PostgresSession::~PostgresSession() {
  PQfinish(connection_);
}

Status PostgresSession::Failure(const PGresult* result) {
  const char* given = result != nullptr ? PQresultErrorField(result, PG_DIAG_SQLSTATE) : nullptr;
  const std::string state = given != nullptr ? given : "";
  const char* primary = result != nullptr ? PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY) : nullptr;
  const std::string message = OneLine(primary != nullptr ? primary : PQerrorMessage(connection_));
  // What the server says has a state; without one it is libpq that tells of a connection that went, which it does now
  // and then (a failed write whose answer is still awaited) before PQstatus knows.
  if (state.empty()) lost_ = true;
  may_repeat_ = broken() || MayPass(state);
  if (may_repeat_) return Status::Unavailable(fmt::format("the database server: {}", message));
  if (state == "53100") return Status::Exhausted(fmt::format("the database server's disk is full: {}", message));
  if (state == "53200") return Status::Exhausted(fmt::format("the database server is out of memory: {}", message));
  if (state.starts_with("58") || state.starts_with("XX")) {
    return Status::Io(fmt::format("the database server: {}", message));
  }
  if (state == "42501") {
    return Status::Invalid(fmt::format("the database server: {}", message))
        .Help("let the user create a schema in this database, or create the schema mutirao for it");
  }
  return Status::Internal(fmt::format("the database server: {} ({})", message, state));
}

Result<SqlAnswer> PostgresSession::Run(const std::string& statement, const SqlArguments& arguments) {
  std::vector<std::string> texts(arguments.size());
  std::vector<const char*> values(arguments.size(), nullptr);
  for (size_t i = 0; i < arguments.size(); ++i) {
    if (arguments[i].is_null()) continue;
    const int64_t* number = arguments[i].number();
    texts[i] = number != nullptr ? std::to_string(*number) : CleanText(*arguments[i].text());
    values[i] = texts[i].c_str();
  }
  ResultHandle result(PQexecParams(connection_, statement.c_str(), static_cast<int>(values.size()), nullptr,
                                   values.data(), nullptr, nullptr, 0));
  const ExecStatusType status = PQresultStatus(result.get());
  if (status != PGRES_TUPLES_OK && status != PGRES_COMMAND_OK) return Failure(result.get());
  SqlAnswer answer;
  const int rows = PQntuples(result.get());
  const int columns = PQnfields(result.get());
  answer.rows.reserve(static_cast<size_t>(rows));
  for (int row = 0; row < rows; ++row) {
    std::vector<SqlValue> cells;
    cells.reserve(static_cast<size_t>(columns));
    for (int column = 0; column < columns; ++column) cells.push_back(ReadValue(result.get(), row, column));
    answer.rows.emplace_back(std::move(cells));
  }
  const char* changed = PQcmdTuples(result.get());
  std::from_chars(changed, changed + std::strlen(changed), answer.changed);
  // A transaction that failed before is rolled back by COMMIT, without an error.
  if (statement == "COMMIT" && std::string_view(PQcmdStatus(result.get())) != "COMMIT") {
    return Status::Internal("a failed transaction was to be committed");
  }
  return answer;
}

Result<bool> PostgresSession::HasTable(const std::string& name) {
  SqlAnswer answer = MUTIRAO_TRY(
      Run("SELECT 1 FROM pg_catalog.pg_tables WHERE schemaname = current_schema() AND tablename = $1", {name}));
  return !answer.rows.empty();
}

Status PostgresSession::LockTables() {
  MUTIRAO_TRY(Run("SELECT pg_advisory_xact_lock(7164816207)"));  // a number of ours; any would do
  return Status::Ok();
}

Status PostgresSession::Announce(const std::string& run_id) {
  MUTIRAO_TRY(Run("SELECT pg_notify($1, $2)", {kChannel, run_id}));
  announced_ = true;
  return Status::Ok();
}

bool PostgresSession::broken() const {
  return lost_ || PQstatus(connection_) != CONNECTION_OK;
}

bool PostgresSession::idle() const {
  return PQtransactionStatus(connection_) == PQTRANS_IDLE;
}

void PostgresSession::Begin() {
  may_repeat_ = false;
  announced_ = false;
}

int PostgresSession::socket() const {
  return PQsocket(connection_);
}

Result<bool> PostgresSession::TakeNotices() {
  if (PQconsumeInput(connection_) == 0) return Status::Unavailable(OneLine(PQerrorMessage(connection_)));
  bool any = false;
  while (PGnotify* notice = PQnotifies(connection_)) {
    any = true;
    PQfreemem(notice);
  }
  return any;
}

std::string PostgresSession::Describe() const {
  const int version = PQserverVersion(connection_);
  return fmt::format("PostgreSQL {}.{}, {}@{}:{}/{}", version / 10000, version % 10000, PQuser(connection_),
                     PQhost(connection_), PQport(connection_), PQdb(connection_));
}

}  // namespace mutirao::orchestration
