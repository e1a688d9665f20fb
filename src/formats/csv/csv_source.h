#pragma once

#include <memory>

#include "formats/csv/csv_spec.h"
#include "frame/format_registry.h"
#include "frame/source.h"

namespace mutirao::formats::csv {

/// Make a source from the mapping under `read:`. Looks into the first file for its header, its first record or, when
/// asked, its dialect and types; reads nothing but the names of the files when a layout or columns are given.
Result<frame::SourcePtr> MakeCsvSource(const Json& spec, const frame::FormatContext& context, Diagnostics& errors);

/// The same with sizes of our choice, for tests.
Result<frame::SourcePtr> MakeCsvSource(const Json& spec, const frame::FormatContext& context, Diagnostics& errors,
                                       const ScanTuning& tuning);

/// The tuning that the program uses; a MUTIRAO_SIMD that cannot be followed does not count.
ScanTuning DefaultTuning();

/// Add the source kind "csv".
void RegisterCsvSource(frame::FormatRegistry& registry);

}  // namespace mutirao::formats::csv
