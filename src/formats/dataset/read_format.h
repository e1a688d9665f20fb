#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <arrow/type_fwd.h>

#include "columnar/type.h"
#include "storage/object_file.h"

namespace mutirao::formats {

/// A piece of a file that is read by itself: a row group, a record batch, or a whole stream.
struct GroupFacts {
  int64_t rows = -1;   ///< -1 unknown
  int64_t bytes = -1;  ///< as stored; -1 unknown
};

/// Smallest and largest value of a column in a group, and how many nulls; what is not known is empty.
struct ColumnRange {
  ScalarPtr min;
  ScalarPtr max;
  std::optional<int64_t> nulls;
  std::optional<int64_t> rows;
};

/// Columns of one group, each of which is read forward by itself, so that what is read of one can depend on the
/// values of another. Threads: one at a time.
class GroupColumns {
 public:
  virtual ~GroupColumns() = default;
  /// Read the next `count` rows of a column: all of them, or those at the places of `selection`, which ascend and are
  /// below `count`. Errors: kInvalid for damage, and when there are fewer rows.
  virtual Result<ArrayPtr> Read(size_t column, int64_t count, const std::vector<uint32_t>* selection) = 0;
};

/// An open file. Threads: one at a time.
class GroupReader {
 public:
  virtual ~GroupReader() = default;
  /// The file's own schema, in Arrow's types.
  virtual const SchemaPtr& schema() const = 0;
  virtual const std::vector<GroupFacts>& groups() const = 0;
  /// Read columns of one group, in batches of about `batch_rows`. The reader lives as long as the file.
  virtual Result<std::unique_ptr<arrow::RecordBatchReader>> Read(int group, const std::vector<std::string>& columns,
                                                                 int64_t batch_rows) = 0;
  /// The same columns, one by one; null where the format has no way to read them so. The file must stay open.
  virtual Result<std::unique_ptr<GroupColumns>> OpenColumns(int /*group*/,
                                                            const std::vector<std::string>& /*columns*/) {
    return std::unique_ptr<GroupColumns>();
  }
  /// Stored bytes of columns of a group; -1 where the format does not tell them apart.
  virtual int64_t BytesOf(int /*group*/, const std::vector<std::string>& /*columns*/) const { return -1; }
  /// What the file says about a column of a group without reading it.
  virtual ColumnRange RangeOf(int group, const std::string& column) = 0;
};

/// How a format finds rows in files; what differs between the sources that read folders of files.
/// Ownership: shared, immutable. Threads: any.
class ReadFormat {
 public:
  virtual ~ReadFormat() = default;
  /// Errors: kInvalid for a damaged file. Exceptions of the library stay inside.
  virtual Result<std::unique_ptr<GroupReader>> Open(std::shared_ptr<storage::ObjectFile> file) const = 0;
};

}  // namespace mutirao::formats
