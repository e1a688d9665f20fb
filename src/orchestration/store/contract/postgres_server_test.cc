#include "orchestration/store/contract/postgres_server.h"

#include <arpa/inet.h>
#include <libpq-fe.h>
#include <pwd.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include <chrono>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <thread>

#include <fmt/format.h>

namespace mutirao::orchestration {
namespace {

namespace fs = std::filesystem;

// The newest of Debian's versions.
std::string FindPrograms() {
  std::string found;
  std::error_code none;
  for (const auto& entry : fs::directory_iterator("/usr/lib/postgresql", none)) {
    if (fs::exists(entry.path() / "bin/initdb")) found = std::max(found, (entry.path() / "bin/").string());
  }
  return found;
}

int FreePort() {
  const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  int port = 0;
  if (bind(fd, reinterpret_cast<sockaddr*>(&address), size) == 0 &&
      getsockname(fd, reinterpret_cast<sockaddr*>(&address), &size) == 0) {
    port = ntohs(address.sin_port);
  }
  close(fd);
  return port;
}

std::string ReadAll(const std::string& path) {
  std::ifstream file(path);
  return {std::istreambuf_iterator<char>(file), {}};
}

}  // namespace

Result<PostgresServer*> PostgresServer::Shared() {
  static std::unique_ptr<PostgresServer> server;
  static const Status made = [] {
    server.reset(new PostgresServer());
    return server->Make();
  }();
  if (!made.ok()) return made;
  return server.get();
}

PostgresServer::~PostgresServer() {
  if (server_) {
    server_->Signal(SIGINT);
    const auto until = std::chrono::steady_clock::now() + std::chrono::seconds(20);
    static_cast<void>(server_->WaitUntil(until));
    server_.reset();
  }
  std::error_code ignored;
  if (!folder_.empty()) fs::remove_all(folder_, ignored);
}

Status PostgresServer::Make() {
  programs_ = FindPrograms();
  if (programs_.empty()) return Status::Unsupported("PostgreSQL is not installed (Debian: postgresql)");
  MUTIRAO_TRY(MakeFolder());
  MUTIRAO_TRY(RunInitdb());
  return Start();
}

Status PostgresServer::MakeFolder() {
  folder_ = access("/dev/shm", W_OK) == 0 ? "/dev/shm/mutirao-pg-XXXXXX" : "/tmp/mutirao-pg-XXXXXX";
  if (mkdtemp(folder_.data()) == nullptr) return Status::Io("no folder for a database server: " + folder_);
  if (geteuid() != 0) return Status::Ok();
  for (const char* user : {"postgres", "nobody"}) {
    const passwd* entry = getpwnam(user);
    if (entry == nullptr || chown(folder_.c_str(), entry->pw_uid, entry->pw_gid) != 0) continue;
    user_ = user;
    return Status::Ok();
  }
  return Status::Unsupported("root cannot run PostgreSQL, and there is no user to run it as");
}

Result<std::unique_ptr<ChildProcess>> PostgresServer::StartProgram(const std::string& program,
                                                                   std::vector<std::string> arguments) const {
  std::vector<std::string> argv;
  if (!user_.empty()) {
    // A change of user forgets the signal that the end of this program sends, so it is asked for again.
    argv = {"setpriv", "--reuid=" + user_, "--regid=" + std::to_string(getpwnam(user_.c_str())->pw_gid),
            "--clear-groups", "--pdeathsig=INT"};
  }
  argv.insert(argv.end(), {"sh", "-c", "exec \"$0\" \"$@\" >>\"$MUTIRAO_TEST_LOG\" 2>&1", programs_ + program});
  argv.insert(argv.end(), arguments.begin(), arguments.end());
  ChildProcess process = MUTIRAO_TRY(
      ChildProcess::Start({.argv = argv,
                           .environment = std::vector<std::string>{"PATH=/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL=C",
                                                                   "TZ=UTC", "MUTIRAO_TEST_LOG=" + folder_ + "/log"},
                           .working_dir = folder_}));
  return std::make_unique<ChildProcess>(std::move(process));
}

Status PostgresServer::RunInitdb() const {
  auto initdb = MUTIRAO_TRY(
      StartProgram("initdb", {"-D", folder_ + "/data", "-U", "mutirao", "-E", "UTF8", "--locale=C", "--no-sync",
                              "--auth-local=trust", "--auth-host=scram-sha-256", "--no-instructions"}));
  ExitState end = MUTIRAO_TRY(initdb->Wait());
  if (end.success()) return Status::Ok();
  return Status::Internal(fmt::format("initdb: {}: {}", end.ToString(), ReadAll(folder_ + "/log")));
}

Status PostgresServer::Start() {
  // Another program may take the port between the look and the start: then once more.
  for (int tries = 0; tries < 5; ++tries) {
    if (port_ == 0) port_ = FreePort();
    std::vector<std::string> arguments{"-D", folder_ + "/data", "-k", folder_, "-p", std::to_string(port_)};
    for (const char* setting : {"listen_addresses=127.0.0.1", "fsync=off", "full_page_writes=off",
                                "shared_buffers=16MB", "max_connections=60", "autovacuum=off"}) {
      arguments.insert(arguments.end(), {"-c", setting});
    }
    server_ = MUTIRAO_TRY(StartProgram("postgres", std::move(arguments)));
    Status ready = WaitUntilReady();
    if (ready.ok()) return ready;
    server_.reset();
    port_ = 0;
  }
  return Status::Internal("the database server does not start: " + ReadAll(folder_ + "/log"));
}

Status PostgresServer::WaitUntilReady() {
  const auto until = std::chrono::steady_clock::now() + std::chrono::seconds(60);
  while (std::chrono::steady_clock::now() < until) {
    const std::string conninfo = location().substr(std::string("postgresql:").size());
    if (PQping(conninfo.c_str()) == PQPING_OK) return Status::Ok();
    auto ended = MUTIRAO_TRY(server_->WaitUntil(std::chrono::steady_clock::now() + std::chrono::milliseconds(20)));
    if (ended) return Status::Internal("it ended: " + ended->ToString());
  }
  return Status::Deadline("it is not ready after a minute");
}

Status PostgresServer::Kill() {
  server_->Signal(SIGQUIT);
  MUTIRAO_TRY(server_->Wait());
  server_.reset();
  return Status::Ok();
}

std::string PostgresServer::location() const {
  return fmt::format("postgresql:host={} port={} user=mutirao dbname=postgres", folder_, port_);
}

Result<std::string> PostgresServer::Query(const std::string& statements) const {
  const std::string conninfo = location().substr(std::string("postgresql:").size());
  std::unique_ptr<PGconn, void (*)(PGconn*)> connection(PQconnectdb(conninfo.c_str()), &PQfinish);
  PQsetNoticeProcessor(
      connection.get(), [](void*, const char*) {}, nullptr);
  std::unique_ptr<PGresult, void (*)(PGresult*)> result(PQexec(connection.get(), statements.c_str()), &PQclear);
  const ExecStatusType status = PQresultStatus(result.get());
  if (status != PGRES_COMMAND_OK && status != PGRES_TUPLES_OK) {
    return Status::Internal(PQerrorMessage(connection.get()));
  }
  if (PQntuples(result.get()) == 0) return std::string();
  return std::string(PQgetvalue(result.get(), 0, 0));
}

}  // namespace mutirao::orchestration
