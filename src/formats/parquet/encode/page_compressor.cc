#include "formats/parquet/encode/page_compressor.h"

#include <zstd.h>

#include <arrow/util/compression.h>
#include <fmt/format.h>

#include "columnar/arrow_status.h"

namespace mutirao::formats::parquet_encode {
namespace {

arrow::Compression::type ArrowCodec(Codec codec) {
  switch (codec) {
    case Codec::kSnappy:
      return arrow::Compression::SNAPPY;
    case Codec::kGzip:
      return arrow::Compression::GZIP;
    case Codec::kLz4Raw:
      return arrow::Compression::LZ4;  // Arrow's name for blocks without a frame
    default:
      return arrow::Compression::UNCOMPRESSED;
  }
}

}  // namespace

Result<std::unique_ptr<PageCompressor>> PageCompressor::Make(Codec codec, int level) {
  std::unique_ptr<PageCompressor> made(new PageCompressor());
  if (codec == Codec::kNone) return made;
  if (codec == Codec::kZstd) {
    made->zstd_ = ZSTD_createCCtx();
    if (made->zstd_ == nullptr) return Status::Exhausted("no memory for zstd");
    size_t set = ZSTD_CCtx_setParameter(made->zstd_, ZSTD_c_compressionLevel, level);
    if (ZSTD_isError(set) || level < ZSTD_minCLevel() || level > ZSTD_maxCLevel()) {
      return Status::Invalid(fmt::format("zstd has no compression level {}", level));
    }
    return made;
  }
  bool default_level = level == 0 || codec != Codec::kGzip;
  made->other_ = MUTIRAO_TRY(
      arrow::util::Codec::Create(ArrowCodec(codec), default_level ? arrow::util::kUseDefaultCompressionLevel : level));
  return made;
}

PageCompressor::~PageCompressor() {
  ZSTD_freeCCtx(zstd_);
}

Result<std::string_view> PageCompressor::CompressZstd(std::string_view page) {
  out_.Clear();
  uint8_t* out = out_.Extend(ZSTD_compressBound(page.size()));
  size_t size = ZSTD_compress2(zstd_, out, out_.size(), page.data(), page.size());
  if (ZSTD_isError(size)) return Status::Internal(std::string("zstd: ") + ZSTD_getErrorName(size));
  out_.Truncate(size);
  return out_.view();
}

Result<std::string_view> PageCompressor::Compress(std::string_view page) {
  if (zstd_ != nullptr) return CompressZstd(page);
  if (other_ == nullptr) return page;
  const auto* bytes = reinterpret_cast<const uint8_t*>(page.data());
  auto size = static_cast<int64_t>(page.size());
  out_.Clear();
  int64_t bound = other_->MaxCompressedLen(size, bytes);
  uint8_t* out = out_.Extend(static_cast<size_t>(bound));
  int64_t written = MUTIRAO_TRY(other_->Compress(size, bytes, bound, out));
  out_.Truncate(static_cast<size_t>(written));
  return out_.view();
}

}  // namespace mutirao::formats::parquet_encode
