#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "formats/csv/value_parser.h"

namespace mutirao::formats::csv {

/// What became of a field of a typed column.
enum class FieldState : uint8_t {
  kValue,
  kNull,
  kBad,  ///< no value of the type
};

/// Converted fields of one column, by whatever number their reader gives them.
struct ConvertedFields {
  std::vector<ParsedValue> values;
  std::vector<FieldState> states;

  void Resize(size_t count) {
    values.resize(count);
    states.resize(count);
  }
};

/// A typed column that a filter reads.
struct TypedInput {
  size_t field = 0;
  std::shared_ptr<const ValueParser> parser;
};

}  // namespace mutirao::formats::csv
