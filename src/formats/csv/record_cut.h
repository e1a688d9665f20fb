#pragma once

#include <cstdint>
#include <optional>

#include "formats/csv/dialect.h"
#include "storage/storage.h"

namespace mutirao::formats::csv {

/// Find a place at or behind `at` where a record begins whatever stands before `at`, without looking at that.
///
/// The bytes before can have brought the parser into a handful of states: between records, in a field, in quotes,
/// behind a quote or an escape, in a line that counts for nothing. From each of them records are parsed until all agree
/// on an end: behind it what came before does not matter. In ordinary data that is the first or second line end.
///
/// Nothing when they do not agree in reach, or only at the end of the file, or when one of them shows a record that is
/// too long: where a dialect has quotes and the file none, everything behind `at` could be in quotes. REQUIRES: `at` is
/// behind the preamble, and the file is no UTF-16. Cost: some records, at most max_record_bytes.
Result<std::optional<int64_t>> RecordBeginBehind(const storage::Object& file, int64_t at, const Dialect& dialect);

}  // namespace mutirao::formats::csv
