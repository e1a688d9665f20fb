#include "orchestration/resource/postgres_kind.h"

#include <algorithm>
#include <thread>

#include <fmt/format.h>

#include "base/log.h"
#include "orchestration/definition/duration.h"
#include "orchestration/resource/config_checks.h"
#include "orchestration/store/postgres/libpq.h"

namespace mutirao::orchestration {
namespace {

using namespace libpq;

using Steady = std::chrono::steady_clock;

constexpr const char* kSchema = R"JSON({
  "title": "the config of a postgres resource",
  "description": "A PostgreSQL database that is there already. Commands get PGHOST, PGPORT, PGDATABASE, PGUSER, PGPASSWORD and PGSSLMODE.",
  "type": "object",
  "additionalProperties": false,
  "properties": {
    "host": {"type": "string", "minLength": 1, "default": "127.0.0.1", "description": "Name, address, or folder of the socket."},
    "port": {"type": ["integer", "string"], "default": 5432},
    "database": {"type": "string", "minLength": 1, "default": "postgres"},
    "user": {"type": "string", "minLength": 1, "default": "postgres"},
    "password": {"type": ["string", "object"], "description": "{env: NAME}; never written into a job."},
    "sslmode": {"enum": ["disable", "allow", "prefer", "require", "verify-ca", "verify-full"], "default": "prefer"},
    "wait": {"type": "string", "pattern": "^([0-9]+(\\.[0-9]+)?(ms|s|m|h|d))+$", "x-expects": "a length of time such as 20s", "default": "30s",
             "description": "How long a connection is tried again."}
  }
})JSON";

std::string TextOf(const Json& value) {
  return value.is_string() ? value.get<std::string>() : value.dump();
}

class Database : public Resource {
 public:
  explicit Database(const Json& config) {
    for (const char* key : {"host", "port", "database", "user"}) facts_[key] = config[key];
    environment_ = {{"PGHOST", TextOf(config["host"])},
                    {"PGPORT", TextOf(config["port"])},
                    {"PGDATABASE", TextOf(config["database"])},
                    {"PGUSER", TextOf(config["user"])},
                    {"PGSSLMODE", TextOf(config["sslmode"])}};
    if (config.contains("password")) environment_["PGPASSWORD"] = TextOf(config["password"]);
  }
  Json facts() const override { return facts_; }
  std::map<std::string, std::string> environment() const override { return environment_; }
  Status Release(Outcome /*outcome*/, Steady::time_point /*deadline*/) override { return Status::Ok(); }

 private:
  Json facts_ = Json::object();
  std::map<std::string, std::string> environment_;
};

class PostgresKind : public ResourceKind {
 public:
  std::string name() const override { return "postgres"; }
  std::string description() const override { return "A PostgreSQL database, tried before ops start."; }
  const Json& config_schema() const override {
    static const Json schema = Json::parse(kSchema);
    return schema;
  }
  void CheckConfig(const Json& config, Diagnostics& errors) const override {
    if (config.contains("port")) CheckPort(config["port"], "/port", /*host_too=*/false, errors);
    CheckDurationAt(config, "wait", errors);
  }
  bool leaves_traces(const Json& /*config*/) const override { return false; }

  Result<std::unique_ptr<Resource>> Acquire(const AcquireContext& context) override {
    MUTIRAO_TRY(library.Load());
    const Json& config = context.config;
    if (config.contains("password")) Redactor::Global().Add(TextOf(config["password"]));
    const auto patience = *ParseDuration(config["wait"].get<std::string>());
    const Steady::time_point until = std::min(context.deadline, Steady::now() + patience);
    std::chrono::milliseconds pause{50};
    while (true) {
      Status connected = Connect(config);
      if (connected.ok()) return std::make_unique<Database>(config);
      if (context.stop.stop_requested()) return Status::Cancelled("stopped while it was tried");
      if (Steady::now() + pause > until) return connected;
      std::this_thread::sleep_for(pause);
      pause = std::min(2 * pause, std::chrono::milliseconds(2000));
    }
  }
  Status Reap(const Lease& /*lease*/) override { return Status::Ok(); }

 private:
  struct Finish {
    void operator()(PGconn* connection) const { PQfinish(connection); }
  };

  static Status Connect(const Json& config) {
    const std::string host = TextOf(config["host"]), port = TextOf(config["port"]);
    const std::string database = TextOf(config["database"]), user = TextOf(config["user"]);
    const std::string sslmode = TextOf(config["sslmode"]);
    const std::string password = config.contains("password") ? TextOf(config["password"]) : "";
    const char* keys[] = {
        "host", "port", "dbname", "user", "password", "sslmode", "connect_timeout", "application_name", nullptr};
    const char* values[] = {
        host.c_str(),    port.c_str(), database.c_str(), user.c_str(), password.empty() ? nullptr : password.c_str(),
        sslmode.c_str(), "5",          "mutirao",        nullptr};
    const std::unique_ptr<PGconn, Finish> connection(PQconnectdbParams(keys, values, 0));
    if (connection != nullptr && PQstatus(connection.get()) == CONNECTION_OK) return Status::Ok();
    std::string why = connection == nullptr ? "no memory" : PQerrorMessage(connection.get());
    std::replace(why.begin(), why.end(), '\n', ' ');
    while (why.ends_with(' ')) why.pop_back();
    return Status::Unavailable(
        fmt::format("no connection to database {} at {}:{}: {}", database, host, port, Redactor::Global().Mask(why)));
  }
};

}  // namespace

std::unique_ptr<ResourceKind> MakePostgresKind() {
  return std::make_unique<PostgresKind>();
}

}  // namespace mutirao::orchestration
