#pragma once

#include <memory>
#include <string_view>

#include <arrow/type_fwd.h>
#include <arrow/util/type_fwd.h>

#include <mutirao/status.h>

#include "formats/parquet/encode/byte_buffer.h"

struct ZSTD_CCtx_s;

namespace mutirao::formats::parquet_encode {

/// The values are those of Parquet's CompressionCodec.
enum class Codec { kNone = 0, kSnappy = 1, kGzip = 2, kZstd = 6, kLz4Raw = 7 };

/// Compress pages one after the other, keeping the codec's tables between them. Threads: one at a time.
class PageCompressor {
 public:
  /// `level` is for zstd and gzip; 0 is the codec's own default. Errors: kInvalid for a level that the codec has not.
  static Result<std::unique_ptr<PageCompressor>> Make(Codec codec, int level);
  ~PageCompressor();

  /// Gives the compressed bytes, which stay valid until the next call; for kNone `page` itself. `is_text`: most of it are
  /// bytes of texts.
  Result<std::string_view> Compress(std::string_view page, bool is_text);

 private:
  PageCompressor() = default;
  Result<std::string_view> CompressZstd(std::string_view page, ZSTD_CCtx_s* zstd);

  ZSTD_CCtx_s* zstd_ = nullptr;
  ZSTD_CCtx_s* zstd_of_texts_ = nullptr;  // the same or another
  std::unique_ptr<arrow::util::Codec> other_;
  ByteBuffer out_;
};

}  // namespace mutirao::formats::parquet_encode
