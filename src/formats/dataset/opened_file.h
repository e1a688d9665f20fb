#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "formats/dataset/file_source.h"
#include "formats/dataset/read_format.h"

namespace mutirao::formats {

/// A file that a scan has open, and where each column of the scan comes from. Threads: one at a time.
struct OpenedFile {
  std::shared_ptr<const SourceFile> file;
  std::unique_ptr<GroupReader> reader;
  std::vector<std::string> from_file;          ///< names, in the order of the scan's columns
  std::map<std::string, ScalarPtr> from_path;  ///< what the file's place says of the others

  /// Errors: kInvalid when the file lacks a column of `schema`, or has another type for it.
  static Result<OpenedFile> Open(const ReadFormat& format, std::shared_ptr<const SourceFile> file,
                                 const arrow::Schema& schema, storage::Reading reading);

  /// Put columns read from the file together with those of its path, and convert them to the types of `schema`, whose
  /// columns these are. `read` gives the rows of a column of the file by its number in from_file.
  Result<BatchPtr> MakeRows(const SchemaPtr& schema, int64_t rows,
                            const std::function<Result<ArrayPtr>(size_t)>& read) const;
};

}  // namespace mutirao::formats
