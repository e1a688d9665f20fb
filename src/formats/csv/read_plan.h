#pragma once

#include <algorithm>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "formats/csv/column_spec.h"
#include "formats/csv/dialect.h"
#include "formats/csv/pushed_filter.h"
#include "formats/csv/simd_level.h"
#include "storage/storage.h"

namespace mutirao::formats::csv {

/// What becomes of a record that breaks the rules.
enum class ErrorPolicy : uint8_t {
  kFail,
  kQuarantine,
  kNull,  ///< fields that do not convert become null, short records are filled up; the rest is quarantined
};

/// Columns that say where a row came from, at the end of the delivered ones.
enum class ProvenanceColumn : uint8_t { kSource, kMember, kLine, kByteOffset, kRaw };

/// A column to deliver: a field of the file, or provenance.
struct WantedColumn {
  size_t field = 0;
  std::optional<ProvenanceColumn> provenance;
};

/// Sizes that change how fast a scan is and never what it gives. Tests set them to odd values.
struct ScanTuning {
  int64_t chunk_bytes = int64_t{4} << 20;
  /// Files are read and parsed in pieces of a chunk that fit a core's cache.
  int64_t piece_bytes = int64_t{256} << 10;
  /// How far behind its nominal place a chunk of a file may begin.
  int64_t guess_bytes = int64_t{64} << 10;
  size_t window_bytes = size_t{64} << 10;
  SimdLevel simd = SimdLevel::kScalar;
  /// False: every record goes through the exact parser.
  bool quick_path = true;
};

/// All that finding records and building columns needs to know; made once for a scan. Threads: read-only.
struct ReadPlan {
  Dialect dialect;
  std::vector<ColumnSpec> columns;  ///< all fields of a record, in the file's order
  std::vector<WantedColumn> wanted;
  SchemaPtr schema;  ///< of the delivered batches
  std::shared_ptr<const PushedFilter> filter;
  ErrorPolicy on_error = ErrorPolicy::kFail;
  int64_t batch_rows = 65536;
  /// Types were guessed from a sample; said where a value breaks the guess.
  bool guessed_types = false;
  ScanTuning tuning;
  storage::Reading reading;

  /// The number of each row's line is delivered.
  bool WantsLines() const {
    return std::ranges::any_of(wanted,
                               [](const WantedColumn& column) { return column.provenance == ProvenanceColumn::kLine; });
  }
};

}  // namespace mutirao::formats::csv
