#pragma once

#include <memory>
#include <vector>

#include "formats/dataset/file_source.h"
#include "formats/dataset/read_format.h"

namespace mutirao::formats {

/// Scan groups of files side by side: each worker claims the next group, reads it, keeps the rows that the predicate
/// wants and delivers the columns asked for. Groups that cannot have such rows, by their statistics or the values of
/// their path, are counted and not read.
///
/// Bytes count as far as the columns of interest are stored apart: estimated by the source, then as the files say.
Result<std::unique_ptr<frame::Scan>> OpenFileScan(const std::vector<frame::Split>& splits, const FileSource& source,
                                                  std::shared_ptr<const ReadFormat> format,
                                                  const frame::ScanRequest& request, const frame::ScanContext& context);

}  // namespace mutirao::formats
