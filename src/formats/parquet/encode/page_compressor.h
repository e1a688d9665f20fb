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

/// What earlier pages of a column of a file taught about zstd: whether looking for repeated stretches pays.
struct RepeatHistory {
  bool pays = true;
  int pages_until_test = 1;  ///< not the first, so that small files have no page that is compressed twice
};

/// Compress pages one after the other, keeping the codec's tables between them. Threads: one at a time.
class PageCompressor {
 public:
  /// `level` is for zstd and gzip; 0 is the codec's own default. Errors: kInvalid for a level that the codec has not.
  static Result<std::unique_ptr<PageCompressor>> Make(Codec codec, int level);
  ~PageCompressor();

  /// Gives the compressed bytes, which stay valid until the next call; for kNone `page` itself. `is_text`: most of it are
  /// bytes of texts. `history` is that of the column's pages like this one, null for a page without any.
  Result<std::string_view> Compress(std::string_view page, bool is_text, RepeatHistory* history);

 private:
  PageCompressor() = default;
  static Result<std::string_view> CompressZstd(std::string_view page, ZSTD_CCtx_s* zstd, ByteBuffer* out);
  Result<std::string_view> TestRepeats(std::string_view page, ZSTD_CCtx_s* zstd, RepeatHistory* history);

  ZSTD_CCtx_s* zstd_ = nullptr;
  ZSTD_CCtx_s* zstd_of_texts_ = nullptr;   // null when there are no parameters of their own for texts
  ZSTD_CCtx_s* zstd_of_numbers_ = nullptr;  // hardly looks for repeated stretches; null as above
  std::unique_ptr<arrow::util::Codec> other_;
  ByteBuffer out_;
  ByteBuffer tested_;
};

}  // namespace mutirao::formats::parquet_encode
