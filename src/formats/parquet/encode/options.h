#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

#include "formats/parquet/encode/page_compressor.h"

namespace mutirao::formats::parquet_encode {

struct EncodeOptions {
  Codec codec = Codec::kZstd;
  /// Of zstd and gzip; 0 is the codec's own default.
  int level = 1;
  /// A page ends when its values reach this size or this many rows, whatever comes first.
  size_t page_bytes = size_t{1} << 20;
  size_t page_rows = 65536;
  /// No dictionary has more values or more bytes than this; 0 values is no dictionaries.
  size_t dictionary_values = 65536;
  size_t dictionary_bytes = size_t{2} << 20;
  /// Text and binary bounds in statistics and page index are cut to this many bytes.
  size_t bound_bytes = 64;
  bool write_page_index = true;
  bool write_crc = true;
  std::string created_by = "mutirao";
};

}  // namespace mutirao::formats::parquet_encode
