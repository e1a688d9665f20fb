#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include <mutirao/status.h>

namespace mutirao::formats::archive {

/// Give bytes from first to last, once.
///
/// Threads: one at a time.
/// Errors:  sticky; a fault in the stored bytes is kInvalid and names file, member and offset.
class ByteStream {
 public:
  virtual ~ByteStream() = default;

  /// Fill `out` as far as bytes are left; less than out.size() only at the end. REQUIRES: `out` is not empty.
  virtual Result<int64_t> Read(std::span<std::byte> out) = 0;

  /// How many stored bytes (compressed ones where they are) have been taken so far.
  virtual int64_t stored_position() const = 0;
};

}  // namespace mutirao::formats::archive
