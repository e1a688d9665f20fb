#pragma once

#include <sys/types.h>

#include <memory>
#include <string>

#include "base/child_process.h"

namespace mutirao::orchestration {

/// A PostgreSQL server of the tests' own, in a folder that goes with it.
///
/// It does not run as root, flushes nothing to disk, and is ended with the program that started it.
class PostgresServer {
 public:
  /// The one that all tests of a program share. Errors: kUnsupported where PostgreSQL is not installed.
  static Result<PostgresServer*> Shared();
  ~PostgresServer();

  /// Connects as the superuser, without a password, through the server's Unix socket.
  std::string location() const;
  const std::string& folder() const { return folder_; }
  int port() const { return port_; }

  /// End it at once, without a shutdown checkpoint, as a crash would; and start it again.
  Status Kill();
  Status Start();

  /// Run statements and give the first value of the answer. Errors: kInternal.
  Result<std::string> Query(const std::string& statements) const;

 private:
  PostgresServer() = default;
  Status Make();
  Status MakeFolder();
  Status RunInitdb() const;
  Result<std::unique_ptr<ChildProcess>> StartProgram(const std::string& program,
                                                     std::vector<std::string> arguments) const;
  Status WaitUntilReady();

  std::string programs_;
  std::string folder_;
  std::string user_;
  int port_ = 0;
  std::unique_ptr<ChildProcess> server_;
};

}  // namespace mutirao::orchestration
