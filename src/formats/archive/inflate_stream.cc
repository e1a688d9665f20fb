#include "formats/archive/inflate_stream.h"

#include <isa-l/igzip_lib.h>

#include <algorithm>
#include <utility>
#include <vector>

#include <fmt/format.h>

namespace mutirao::formats::archive {
namespace {

constexpr size_t kInputBytes = 256 * 1024;

class InflateStream : public ByteStream {
 public:
  InflateStream(std::unique_ptr<ByteStream> stored, std::string name, bool gzip)
      : stored_(std::move(stored)), name_(std::move(name)), gzip_(gzip), input_(kInputBytes) {
    isal_inflate_init(&state_);
    state_.crc_flag = gzip ? ISAL_GZIP : ISAL_DEFLATE;
  }

  Result<int64_t> Read(std::span<std::byte> out) override {
    if (!failed_.ok()) return failed_;
    auto result = Fill(out);
    if (!result.ok()) failed_ = result.status();
    return result;
  }

  int64_t stored_position() const override { return stored_->stored_position() - state_.avail_in; }

 private:
  Result<int64_t> Fill(std::span<std::byte> out) {
    constexpr size_t kMaxStep = size_t{1} << 30;
    size_t done = 0;
    while (done < out.size() && !finished_) {
      const size_t step = std::min(out.size() - done, kMaxStep);
      state_.next_out = reinterpret_cast<uint8_t*>(out.data() + done);
      state_.avail_out = static_cast<uint32_t>(step);
      MUTIRAO_TRY(Step());
      done += step - state_.avail_out;
    }
    return static_cast<int64_t>(done);
  }

  // Inflates what one buffer of input gives, up to the room in the output.
  Status Step() {
    if (state_.avail_in == 0) MUTIRAO_TRY(Refill());
    const uint32_t room = state_.avail_out;
    const uint32_t had = state_.avail_in;
    const int code = isal_inflate(&state_);
    // Where data is damaged, ISA-L may say that more bytes are left than there were.
    state_.avail_in = std::min(state_.avail_in, had);
    if (code == ISAL_INCORRECT_CHECKSUM) return Fault("checksum (crc) does not match the data");
    if (code == ISAL_INVALID_WRAPPER) return Fault("it is no gzip data");
    if (code != ISAL_DECOMP_OK && code != ISAL_END_INPUT && code != ISAL_OUT_OVERFLOW)
      return Fault("damaged deflate data");
    if (state_.block_state == ISAL_BLOCK_FINISH) return FinishMember();
    if (input_ended_ && state_.avail_in == 0 && state_.avail_out == room && had == 0) {
      return Fault("the compressed data is cut: unexpected end");
    }
    return Status::Ok();
  }

  Status Refill() {
    if (input_ended_) return Status::Ok();
    const int64_t count = MUTIRAO_TRY(stored_->Read(input_));
    input_ended_ = static_cast<size_t>(count) < input_.size();
    state_.next_in = reinterpret_cast<uint8_t*>(input_.data());
    state_.avail_in = static_cast<uint32_t>(count);
    return Status::Ok();
  }

  Status FinishMember() {
    if (!gzip_) {
      const int unused = static_cast<int>(state_.avail_in) + state_.read_in_length / 8;
      if (unused > 0) return Fault("compressed data goes on behind its end");
      if (!input_ended_) {
        MUTIRAO_TRY(Refill());
        if (state_.avail_in > 0) return Fault("compressed data goes on behind its end");
      }
      finished_ = true;
      return Status::Ok();
    }
    MUTIRAO_TRY(SkipPadding());
    if (state_.avail_in == 0) {
      finished_ = true;
      return Status::Ok();
    }
    if (padding_seen_ || *state_.next_in != 0x1f)
      return Fault("bytes that are no gzip member follow the compressed data");
    isal_inflate_reset(&state_);
    state_.crc_flag = ISAL_GZIP;
    return Status::Ok();
  }

  Status SkipPadding() {
    for (;;) {
      while (state_.avail_in > 0 && *state_.next_in == 0) {
        padding_seen_ = true;
        ++state_.next_in;
        --state_.avail_in;
      }
      if (state_.avail_in > 0 || input_ended_) return Status::Ok();
      MUTIRAO_TRY(Refill());
    }
  }

  Status Fault(std::string_view what) const {
    return Status::Invalid(fmt::format("{}: {} (near stored byte {})", name_, what, stored_position()))
        .Help("fetch the file again; nothing of it was kept");
  }

  std::unique_ptr<ByteStream> stored_;
  std::string name_;
  bool gzip_;
  std::vector<std::byte> input_;
  inflate_state state_;
  bool input_ended_ = false;
  bool finished_ = false;
  bool padding_seen_ = false;
  Status failed_;
};

}  // namespace

std::unique_ptr<ByteStream> InflateRaw(std::unique_ptr<ByteStream> stored, std::string name) {
  return std::make_unique<InflateStream>(std::move(stored), std::move(name), false);
}

std::unique_ptr<ByteStream> InflateGzip(std::unique_ptr<ByteStream> stored, std::string name) {
  return std::make_unique<InflateStream>(std::move(stored), std::move(name), true);
}

}  // namespace mutirao::formats::archive
