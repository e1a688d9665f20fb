#include "formats/csv/input_reader.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include <fmt/format.h>

#include "formats/csv/structural_index.h"

namespace mutirao::formats::csv {
namespace {

constexpr int64_t kHeadBytes = 64 << 10;

}  // namespace

InputReader::InputReader(const Input& input, std::shared_ptr<const ReadPlan> plan)
    : input_(input), plan_(std::move(plan)), seekable_(input.Seekable(plan_->dialect)) {}

Status InputReader::Open(std::function<Status(const Preamble&)> check_preamble, std::function<void()> notify) {
  if (seekable_) return OpenFileRange(check_preamble);
  stream_ = std::make_unique<StreamFeed>(input_, StreamFeed::Options{.dialect = plan_->dialect,
                                                                     .reading = plan_->reading,
                                                                     .chunk_bytes = plan_->tuning.chunk_bytes,
                                                                     .count_lines = plan_->WantsLines(),
                                                                     .check_preamble = std::move(check_preamble),
                                                                     .notify = std::move(notify)});
  return Status::Ok();
}

Status InputReader::OpenFileRange(const std::function<Status(const Preamble&)>& check_preamble) {
  object_ = MUTIRAO_TRY(OpenFile(input_, plan_->reading));
  lines_ = std::make_unique<LineCounter>(object_, plan_->dialect.cr_ends);
  data_begin_ = input_.begin;
  data_end_ = input_.end < 0 ? input_.file.size : input_.end;
  if (input_.begin == 0) {
    std::optional<Preamble> preamble;
    for (int64_t size = kHeadBytes; !preamble; size *= 2) {
      const int64_t end = std::min(size, input_.file.size);
      const Chunk head = MUTIRAO_TRY(ReadRange(0, end));
      preamble = MUTIRAO_TRY(ReadPreamble(plan_->dialect, head.bytes(), end == input_.file.size, input_.Name()));
    }
    MUTIRAO_TRY(check_preamble(*preamble));
    data_begin_ = std::min(static_cast<int64_t>(preamble->data_begin), data_end_);
  }
  next_begin_ = data_begin_;
  return Status::Ok();
}

Result<std::optional<Chunk>> InputReader::Claim() {
  if (!seekable_) return stream_->TryPop();
  if (all_claimed_) return std::optional<Chunk>();
  Chunk chunk{.ordinal = next_ordinal_++, .begin = next_begin_};
  const int64_t end = std::min(next_begin_ + plan_->tuning.chunk_bytes, data_end_);
  chunk.size = static_cast<size_t>(end - next_begin_);
  // What stands before the first record is read, too.
  chunk.stored_bytes = end - (chunk.ordinal == 0 ? input_.begin : next_begin_);
  chunk.last = all_claimed_ = end == data_end_;
  next_begin_ = end;
  return std::optional<Chunk>(std::move(chunk));
}

bool InputReader::exhausted() const {
  return seekable_ ? all_claimed_ : stream_->finished();
}

// A chunk's nominal edges are multiples of the chunk size; the true ones lie where a record probably begins behind
// them, which both neighbours find alike.
Status InputReader::ReadPieces(Chunk* chunk, std::string* buffer, const std::function<Status()>& begun,
                               const TakePiece& take) const {
  const Dialect& dialect = plan_->dialect;
  const int64_t guess = std::min(plan_->tuning.guess_bytes, plan_->tuning.chunk_bytes);
  const int64_t nominal_end = chunk->end();
  const int64_t read_end = std::min(nominal_end + guess, data_end_);
  const auto edge = [&](std::string_view bytes) {
    const size_t start = GuessRecordStart(bytes.substr(0, static_cast<size_t>(guess)), dialect.quote, dialect.cr_ends);
    return start == bytes.npos ? 0 : start;
  };
  const bool at_data_begin = chunk->begin == data_begin_;
  bool is_first = true;
  int64_t step = std::max(plan_->tuning.piece_bytes, guess);
  int64_t at = chunk->begin;  // of the buffer's first byte
  size_t size = 0;            // bytes in the buffer
  for (;;) {
    const int64_t from = at + static_cast<int64_t>(size);
    // What is read last has the nominal end in it, so that no piece before it can go past the true one.
    const bool last = read_end - from <= step + guess;
    const auto more = static_cast<size_t>(last ? read_end - from : step);
    if (buffer->size() < size + more + kPadding) buffer->resize(size + more + kPadding);
    MUTIRAO_TRY(ReadFully(from, std::span(*buffer).subspan(size, more)));
    size += more;
    // The buffer may have been longer: nothing of what it held may look like a line end behind the last record.
    std::memset(buffer->data() + size, 0, kPadding);
    const std::string_view bytes(buffer->data(), size);
    size_t begin = 0;
    if (is_first) {
      begin = at_data_begin ? 0 : edge(bytes);
      chunk->begin += static_cast<int64_t>(begin);
      chunk->original_begin = chunk->begin;
      MUTIRAO_TRY(begun());
      is_first = false;
    }
    size_t end = size;
    if (last && !chunk->last) {
      const auto nominal = static_cast<size_t>(nominal_end - at);
      end = std::max(begin, nominal + edge(bytes.substr(nominal)));
    }
    const size_t used = MUTIRAO_TRY(take(bytes.substr(begin, end - begin), last));
    if (last) {
      chunk->size = static_cast<size_t>(at + static_cast<int64_t>(end) - chunk->begin);
      return Status::Ok();
    }
    // A record that is longer than a piece takes more of them.
    step = used == 0 ? step * 2 : std::max(plan_->tuning.piece_bytes, guess);
    size -= begin + used;
    at += static_cast<int64_t>(begin + used);
    std::memmove(buffer->data(), buffer->data() + begin + used, size);
  }
}

Result<Chunk> InputReader::LoadFrom(int64_t begin, const Chunk& chunk) const {
  Chunk again = MUTIRAO_TRY(ReadRange(begin, chunk.end()));
  again.ordinal = chunk.ordinal;
  again.last = chunk.last;
  again.stored_bytes = chunk.stored_bytes;
  return again;
}

Result<int64_t> InputReader::LineBase(const Chunk& chunk) const {
  if (chunk.line_base >= 0) return chunk.line_base;
  return lines_->LinesBefore(chunk.begin);
}

Result<Chunk> InputReader::ReadRange(int64_t begin, int64_t end) const {
  Chunk chunk{.begin = begin, .data = std::make_shared<std::string>()};
  chunk.size = static_cast<size_t>(end - begin);
  chunk.original_begin = begin;
  chunk.data->resize(chunk.size + kPadding);
  MUTIRAO_TRY(ReadFully(begin, std::span(*chunk.data).first(chunk.size)));
  return chunk;
}

Status InputReader::ReadFully(int64_t begin, std::span<char> out) const {
  size_t done = 0;
  while (done < out.size()) {
    const auto rest = std::as_writable_bytes(out).subspan(done);
    const int64_t count = MUTIRAO_TRY(object_->ReadAt(begin + static_cast<int64_t>(done), rest));
    if (count == 0) return Status::Io(fmt::format("{} became shorter while it was read", input_.Name()));
    done += static_cast<size_t>(count);
  }
  return Status::Ok();
}

}  // namespace mutirao::formats::csv
