#pragma once

#include <memory>
#include <string>

#include "formats/dataset/file_format.h"

namespace mutirao::formats {

struct CsvWriteOptions {
  bool header = true;
  char delimiter = ',';
  bool quote_all = false;
  /// What a null is written as; text that is the same, and the empty text, stand in quotes.
  std::string null_text;
  bool latin1 = false;
};

/// Files after RFC 4180 with LF at line ends. What our reader reads with the same delimiter and encoding is equal, null
/// and empty text told apart.
std::shared_ptr<const FileFormat> MakeCsvFormat(const CsvWriteOptions& options);

}  // namespace mutirao::formats
