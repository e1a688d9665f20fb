#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <vector>

#include "base/json.h"
#include "columnar/type.h"
#include "engine/memory/packed_batch.h"
#include "storage/storage.h"

namespace mutirao::engine {

/// A run of bytes of an exchange file: one packed batch (engine/memory/packed_batch.h). It begins at a multiple of
/// kPackedAlignment.
struct ExchangeBlock {
  int64_t offset = 0;
  int64_t length = 0;
  int64_t rows = 0;
};

/// What stands where in an exchange file. A task that holds all its rows writes the blocks of a bucket back to back;
/// one that has more writes such runs one after another.
///
/// The file is the blocks, the index as JSON, its length in 8 bytes (little-endian) and the mark "MUTXCH03".
struct ExchangeIndex {
  std::vector<std::vector<ExchangeBlock>> buckets;

  std::string ToFooter() const;
  /// Errors: kInvalid when the file is no exchange file, or is cut.
  static Result<ExchangeIndex> Read(const storage::Object& file);
};

/// The name of the file that an attempt of a task writes.
std::string ExchangeFileName(const std::string& attempt);

/// Write the exchange file of an attempt of a task, which readers see whole or not at all.
///
/// Ownership: destroyed without Finish, it leaves nothing.
/// Threads: Append from any.
/// Errors: sticky.
class ExchangeOutput {
 public:
  static Result<std::unique_ptr<ExchangeOutput>> Create(const std::string& folder, const std::string& attempt);
  ~ExchangeOutput();
  ExchangeOutput(const ExchangeOutput&) = delete;
  ExchangeOutput& operator=(const ExchangeOutput&) = delete;

  /// Write packed batches one behind the other; gives where each begins.
  Result<std::vector<int64_t>> Append(std::span<const PackedBatch> batches);

  /// Write the index and let the file be seen; gives its size.
  Result<int64_t> Finish(const ExchangeIndex& index);

  /// The file's name in its folder.
  const std::string& name() const { return name_; }

 private:
  ExchangeOutput(std::string folder, std::string name) : folder_(std::move(folder)), name_(std::move(name)) {}
  Status WriteOut(std::span<const std::span<const std::byte>> pieces);
  std::string Partial() const { return folder_ + "/." + name_ + ".partial"; }

  const std::string folder_;
  const std::string name_;
  std::mutex mutex_;
  // Guarded by mutex_.
  int fd_ = -1;
  int64_t size_ = 0;
  Status failed_;
};

}  // namespace mutirao::engine
