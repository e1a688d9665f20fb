#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/json.h"
#include "columnar/type.h"
#include "storage/storage.h"

namespace mutirao::engine {

/// A run of bytes of an exchange file: one packed batch (engine/memory/packed_batch.h).
struct ExchangeBlock {
  int64_t offset = 0;
  int64_t length = 0;
  int64_t rows = 0;
};

/// What stands where in an exchange file: the blocks of each bucket, back to back.
///
/// The file is the blocks, the index as JSON, its length in 8 bytes (little-endian) and the mark "MUTXCH02".
struct ExchangeIndex {
  std::vector<std::vector<ExchangeBlock>> buckets;

  std::string ToFooter() const;
  /// Errors: kInvalid when the file is no exchange file, or is cut.
  static Result<ExchangeIndex> Read(const storage::Object& file);
};

/// The name of the file that an attempt of a task writes.
std::string ExchangeFileName(const std::string& attempt);

}  // namespace mutirao::engine
