#include "formats/archive/zstd_stream.h"

#include <zstd.h>

#include <utility>
#include <vector>

#include <fmt/format.h>

namespace mutirao::formats::archive {
namespace {

class ZstdStream : public ByteStream {
 public:
  ZstdStream(std::unique_ptr<ByteStream> stored, std::string name)
      : stored_(std::move(stored)),
        name_(std::move(name)),
        context_(ZSTD_createDStream()),
        input_(ZSTD_DStreamInSize()) {
    // Windows of up to 2 GiB, as `zstd --long=31` makes them.
    ZSTD_DCtx_setParameter(context_, ZSTD_d_windowLogMax, 31);
  }
  ~ZstdStream() override { ZSTD_freeDStream(context_); }
  ZstdStream(const ZstdStream&) = delete;
  ZstdStream& operator=(const ZstdStream&) = delete;

  Result<int64_t> Read(std::span<std::byte> out) override {
    if (!failed_.ok()) return failed_;
    auto result = Fill(out);
    if (!result.ok()) failed_ = result.status();
    return result;
  }

  int64_t stored_position() const override {
    return stored_->stored_position() - static_cast<int64_t>(pending_.size - pending_.pos);
  }

 private:
  Result<int64_t> Fill(std::span<std::byte> out) {
    ZSTD_outBuffer output{out.data(), out.size(), 0};
    while (output.pos < output.size) {
      if (pending_.pos == pending_.size && !input_ended_) {
        const int64_t count = MUTIRAO_TRY(stored_->Read(input_));
        input_ended_ = static_cast<size_t>(count) < input_.size();
        pending_ = {input_.data(), static_cast<size_t>(count), 0};
      }
      const bool at_end = input_ended_ && pending_.pos == pending_.size;
      if (at_end && frame_done_) break;
      const size_t before = output.pos;
      const size_t hint = ZSTD_decompressStream(context_, &output, &pending_);
      if (ZSTD_isError(hint)) {
        return Fault(fmt::format("damaged zstd data ({})", ZSTD_getErrorName(hint)));
      }
      frame_done_ = hint == 0;
      if (at_end && !frame_done_ && output.pos == before) return Fault("the compressed data is cut: unexpected end");
    }
    return static_cast<int64_t>(output.pos);
  }

  Status Fault(std::string_view what) const {
    return Status::Invalid(fmt::format("{}: {} (near stored byte {})", name_, what, stored_position()))
        .Help("fetch the file again; nothing of it was kept");
  }

  std::unique_ptr<ByteStream> stored_;
  std::string name_;
  ZSTD_DStream* context_;
  std::vector<std::byte> input_;
  ZSTD_inBuffer pending_{nullptr, 0, 0};
  bool input_ended_ = false;
  bool frame_done_ = false;
  Status failed_;
};

}  // namespace

std::unique_ptr<ByteStream> DecompressZstd(std::unique_ptr<ByteStream> stored, std::string name) {
  return std::make_unique<ZstdStream>(std::move(stored), std::move(name));
}

}  // namespace mutirao::formats::archive
