#pragma once

#include <chrono>
#include <string>
#include <vector>

#include "base/json.h"
#include "cluster/dask/dask_cluster.h"

namespace mutirao::cluster {

/// All scans below plans, each once.
std::vector<const frame::PlanNode*> ScansOf(const std::vector<frame::PlanPtr>& roots);

/// Finds out before any work whether every worker sees the storage that a plan reads and writes: a token is put into
/// each place of output, and each input file must be there with the size it has here.
///
/// Ownership: the token files go when it goes.
class StorageCheck {
 public:
  static constexpr std::chrono::seconds kTimeout{120};

  /// Write the tokens. Errors: kIo.
  static Result<StorageCheck> Begin(const PlanRequest& request);
  StorageCheck(StorageCheck&&) = default;
  StorageCheck& operator=(StorageCheck&&) = delete;
  ~StorageCheck();

  /// What the driver is asked, and the token by which its answer is known.
  const Json& message() const { return message_; }
  const std::string& token() const { return token_; }

  /// Errors: kInvalid naming a worker, a path and what is there.
  Status Judge(const Json& answer) const;

 private:
  StorageCheck() = default;

  std::string token_;
  Json message_;
  std::vector<std::string> written_;
  std::vector<std::string> paths_;
};

}  // namespace mutirao::cluster
