#pragma once

#include <functional>
#include <string>

#include "orchestration/leases/settle.h"

namespace mutirao::cli {

/// What a worker tells its supervisor in memory that both see, so that it is known however the worker dies.
class WorkerNote {
 public:
  /// The run is stored from here on: who survives must settle it.
  void RunIsStored(const std::string& run_id, const std::string& store_uri, const std::string& project_root);
  /// Everything was told and stored; the exit code is meant.
  void Finished();

  bool finished() const { return shared_->finished; }
  bool run_is_stored() const { return shared_->stored; }
  std::string run_id() const { return shared_->run_id; }
  std::string store_uri() const { return shared_->store_uri; }
  std::string project_root() const { return shared_->project_root; }

 private:
  friend int Supervise(const std::function<int(WorkerNote&)>&,
                       const std::function<int(const WorkerNote&, const orchestration::Death&)>&);
  struct Shared {
    volatile bool finished;
    volatile bool stored;
    char run_id[64];
    char store_uri[4096];
    char project_root[4096];
  };
  Shared* shared_ = nullptr;
};

/// Do `work` in a child process and give its exit code. Signals that ask to stop are passed on to it; it is asked to
/// stop as well when this process dies. When it dies before it has finished, `on_death` says what the code is.
///
/// REQUIRES: no other thread runs yet. Errors of starting it are told on standard error and give 4.
int Supervise(const std::function<int(WorkerNote&)>& work,
              const std::function<int(const WorkerNote&, const orchestration::Death&)>& on_death);

}  // namespace mutirao::cli
