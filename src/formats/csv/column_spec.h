#pragma once

#include <string>

#include "columnar/type.h"

namespace mutirao::formats::csv {

/// A column of a CSV file as it is delivered.
struct ColumnSpec {
  std::string name;
  TypePtr type;
  /// How dates and timestamps are written ("%d/%m/%Y"); empty for ISO 8601.
  std::string format;
};

}  // namespace mutirao::formats::csv
