#pragma once

#include <cstdint>

#include "engine/rows/column_view.h"

namespace mutirao::engine {

/// How a column lies in the packed bytes, behind its validity.
enum class PackedForm : uint8_t {
  kPlain,      ///< the values
  kNarrow,     ///< decimals as int64
  kOneLength,  ///< the length of every text, then the texts
  kBytes,      ///< the length of each text in a byte, then the texts
  kWords,      ///< the same in four bytes
  kArrow,      ///< a message of Arrow's, for types without a form of their own
  kAligned,    ///< the values, from the next multiple of kPackedAlignment on
  kOffsets,    ///< the same with offsets in four bytes, one more than there are texts; then the texts
};

/// Bytes of a value of fixed width; 0 for others.
inline int FixedWidth(Physical physical) {
  switch (physical) {
    case Physical::kInt8:
      return 1;
    case Physical::kInt16:
      return 2;
    case Physical::kInt32:
      return 4;
    case Physical::kInt64:
    case Physical::kDouble:
      return 8;
    case Physical::kDecimal:
      return 16;
    default:
      return 0;
  }
}

}  // namespace mutirao::engine
