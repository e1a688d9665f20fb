#pragma once

#include <string>
#include <vector>

#include "columnar/type.h"

namespace mutirao::formats::testing_rows {

/// Make a batch that has a column of every plan type, with nulls in each, from row numbers first … first+count-1.
BatchPtr EveryType(int64_t first, int64_t count);

/// Make a batch of two columns: n int64 = first …, uf string out of a few, null now and then.
BatchPtr Numbered(int64_t first, int64_t count);

/// Make a folder that is removed with the object.
class TemporaryFolder {
 public:
  TemporaryFolder();
  ~TemporaryFolder();
  const std::string& path() const { return path_; }
  /// The names in the folder, sorted.
  std::vector<std::string> Entries() const;
  /// All files below, relative, sorted.
  std::vector<std::string> Files(const std::string& below) const;

 private:
  std::string path_;
};

}  // namespace mutirao::formats::testing_rows
