#include "formats/csv/stream_feed.h"

#include <algorithm>
#include <cstring>
#include <exception>
#include <utility>

#include "formats/csv/buffer_pool.h"
#include "formats/csv/line_counter.h"
#include "formats/csv/structural_index.h"
#include "formats/csv/utf16_stream.h"

namespace mutirao::formats::csv {
namespace {

// The text that has been unpacked and not been cut into chunks yet.
class Window {
 public:
  explicit Window(archive::ByteStream* stream) : stream_(stream), data_(pool_.Get(kPadding)) {}

  /// Have at least `size` bytes, fewer only at the end of the stream.
  Status Fill(size_t size) {
    if (size_ >= size || ended_) return Status::Ok();
    if (data_->size() < size + kPadding) data_->resize(size + kPadding);
    const size_t wanted = size - size_;
    const int64_t count = MUTIRAO_TRY(stream_->Read(std::as_writable_bytes(std::span(*data_)).subspan(size_, wanted)));
    ended_ = static_cast<size_t>(count) < wanted;
    size_ += static_cast<size_t>(count);
    return Status::Ok();
  }

  /// Give the first `count` bytes away and keep the others.
  std::shared_ptr<std::string> Take(size_t count) {
    const size_t left = size_ - count;
    auto rest = pool_.Get(std::max(left + kPadding, data_->size()));
    std::memcpy(rest->data(), data_->data() + count, left);
    std::memset(data_->data() + count, 0, kPadding);
    size_ = left;
    return std::exchange(data_, std::move(rest));
  }

  std::string_view bytes() const { return {data_->data(), size_}; }
  bool ended() const { return ended_; }

 private:
  archive::ByteStream* stream_;
  BufferPool pool_;
  std::shared_ptr<std::string> data_;
  size_t size_ = 0;
  bool ended_ = false;
};

}  // namespace

StreamFeed::StreamFeed(Input input, Options options)
    : input_(std::move(input)),
      options_(std::move(options)),
      thread_([this](std::stop_token stop) { Run(std::move(stop)); }) {}

StreamFeed::~StreamFeed() {
  thread_.request_stop();
  thread_.join();
}

void StreamFeed::Run(std::stop_token stop) {
  Status status;
  try {
    status = Produce(stop);
  } catch (const std::exception& error) {
    status = Status::Exhausted(std::string("unpacking failed: ") + error.what()).Context(input_.Name());
  }
  {
    std::lock_guard lock(mutex_);
    failure_ = std::move(status);
    ended_ = true;
  }
  options_.notify();
}

Status StreamFeed::Produce(const std::stop_token& stop) {
  const Dialect& dialect = options_.dialect;
  std::unique_ptr<archive::ByteStream> stream = MUTIRAO_TRY(OpenContent(input_, options_.reading));
  Utf16Stream* utf16 = nullptr;
  if (IsUtf16(dialect.encoding)) {
    auto converted = std::make_unique<Utf16Stream>(std::move(stream), dialect.encoding, input_.Name());
    utf16 = converted.get();
    stream = std::move(converted);
  }
  const auto chunk_bytes = static_cast<size_t>(options_.chunk_bytes);
  Window window(stream.get());
  std::optional<Preamble> preamble;
  for (size_t size = std::max<size_t>(chunk_bytes, 4096); !preamble; size *= 2) {
    MUTIRAO_TRY(window.Fill(size));
    preamble = MUTIRAO_TRY(ReadPreamble(dialect, window.bytes(), window.ended(), input_.Name()));
    if (stop.stop_requested()) return Status::Ok();
  }
  MUTIRAO_TRY(options_.check_preamble(*preamble));
  big_endian_ = utf16 != nullptr && utf16->big_endian();

  Chunk next;
  next.begin = static_cast<int64_t>(preamble->data_begin);
  next.original_begin =
      utf16 != nullptr ? utf16->mark_bytes() + Utf16Bytes(window.bytes().substr(0, preamble->data_begin)) : next.begin;
  const char first = preamble->data_begin < window.bytes().size() ? window.bytes()[preamble->data_begin] : '\0';
  next.line_base = CountLineEnds(window.bytes().substr(0, preamble->data_begin), dialect.cr_ends, first);
  window.Take(preamble->data_begin);
  int64_t stored_before = 0;
  while (!stop.stop_requested()) {
    MUTIRAO_TRY(window.Fill(chunk_bytes + 1));
    const std::string_view bytes = window.bytes();
    Chunk chunk = next;
    chunk.last = window.ended() && bytes.size() <= chunk_bytes;
    chunk.size = bytes.size();
    if (!chunk.last) {
      const std::string_view within = bytes.substr(0, chunk_bytes);
      const size_t cut = GuessLastRecordStart(within, dialect.quote, dialect.cr_ends);
      chunk.size = cut == within.npos ? within.size() : cut;
    }
    next.ordinal = chunk.ordinal + 1;
    next.begin = chunk.end();
    const std::string_view taken = bytes.substr(0, chunk.size);
    next.original_begin += utf16 != nullptr ? Utf16Bytes(taken) : static_cast<int64_t>(taken.size());
    if (options_.count_lines || dialect.cr_ends) {
      next.line_base += CountLineEnds(taken, dialect.cr_ends, chunk.size < bytes.size() ? bytes[chunk.size] : '\0');
    } else {
      next.line_base = -1;
    }
    chunk.stored_bytes = stream->stored_position() - stored_before;
    stored_before = stream->stored_position();
    chunk.data = window.Take(chunk.size);
    const bool last = chunk.last;
    if (!Push(std::move(chunk), stop) || last) break;
  }
  return Status::Ok();
}

bool StreamFeed::Push(Chunk chunk, const std::stop_token& stop) {
  {
    std::unique_lock lock(mutex_);
    if (!room_.wait(lock, stop, [this] { return ready_.size() < options_.ahead; })) return false;
    ready_.push_back(std::move(chunk));
  }
  options_.notify();
  return true;
}

Result<std::optional<Chunk>> StreamFeed::TryPop() {
  std::lock_guard lock(mutex_);
  if (ready_.empty()) {
    if (!failure_.ok()) return failure_;
    return std::optional<Chunk>();
  }
  std::optional<Chunk> chunk(std::move(ready_.front()));
  ready_.pop_front();
  room_.notify_one();
  return chunk;
}

bool StreamFeed::finished() const {
  std::lock_guard lock(mutex_);
  return ended_ && ready_.empty() && failure_.ok();
}

}  // namespace mutirao::formats::csv
