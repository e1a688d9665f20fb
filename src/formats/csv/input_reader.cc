#include "formats/csv/input_reader.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include <fmt/format.h>

namespace mutirao::formats::csv {
namespace {

constexpr int64_t kHeadBytes = 64 << 10;
// How far behind its nominal place a chunk may begin.
constexpr int64_t kGuessBytes = 64 << 10;

}  // namespace

InputReader::InputReader(const Input& input, std::shared_ptr<const ReadPlan> plan)
    : input_(input), plan_(std::move(plan)), seekable_(input.Seekable(plan_->dialect)) {}

Status InputReader::Open(std::function<Status(const Preamble&)> check_preamble, std::function<void()> notify) {
  if (seekable_) return OpenFileRange(check_preamble);
  stream_ = std::make_unique<StreamFeed>(input_, StreamFeed::Options{.dialect = plan_->dialect,
                                                                     .chunk_bytes = plan_->tuning.chunk_bytes,
                                                                     .check_preamble = std::move(check_preamble),
                                                                     .notify = std::move(notify)});
  return Status::Ok();
}

Status InputReader::OpenFileRange(const std::function<Status(const Preamble&)>& check_preamble) {
  object_ = MUTIRAO_TRY(OpenFile(input_));
  lines_ = std::make_unique<LineCounter>(object_, plan_->dialect.cr_ends);
  data_begin_ = input_.begin;
  data_end_ = input_.end < 0 ? input_.file.size : input_.end;
  if (input_.begin == 0) {
    std::optional<Preamble> preamble;
    for (int64_t size = kHeadBytes; !preamble; size *= 2) {
      const int64_t end = std::min(size, input_.file.size);
      const Chunk head = MUTIRAO_TRY(ReadRange(0, end, nullptr));
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
  chunk.stored_bytes = end - next_begin_;
  chunk.last = all_claimed_ = end == data_end_;
  next_begin_ = end;
  return std::optional<Chunk>(std::move(chunk));
}

bool InputReader::exhausted() const {
  return seekable_ ? all_claimed_ : stream_->finished();
}

// A chunk's nominal edges are multiples of the chunk size; the true ones lie where a record probably begins behind
// them, which both neighbours find alike.
Status InputReader::Load(Chunk* chunk, std::shared_ptr<std::string>* buffer) const {
  if (!seekable_) return Status::Ok();
  const int64_t guess = std::min(kGuessBytes, plan_->tuning.chunk_bytes);
  const int64_t nominal_end = chunk->end();
  const int64_t read_end = std::min(nominal_end + guess, data_end_);
  Chunk read = MUTIRAO_TRY(ReadRange(chunk->begin, read_end, std::move(*buffer)));
  const Dialect& dialect = plan_->dialect;
  const auto edge = [&](int64_t nominal) {
    const auto place = static_cast<size_t>(nominal - read.begin);
    const std::string_view near = read.bytes().substr(place, static_cast<size_t>(guess));
    const size_t start = GuessRecordStart(near, dialect.quote, dialect.cr_ends);
    return place + (start == near.npos ? 0 : start);
  };
  const size_t begin = chunk->begin == data_begin_ ? 0 : edge(chunk->begin);
  const size_t end = chunk->last ? read.size : edge(nominal_end);
  chunk->skip = begin;
  chunk->begin += static_cast<int64_t>(begin);
  chunk->original_begin = chunk->begin;
  chunk->size = end - begin;
  chunk->data = read.data;
  *buffer = std::move(read.data);
  return Status::Ok();
}

Result<Chunk> InputReader::LoadFrom(int64_t begin, const Chunk& chunk) const {
  Chunk again = MUTIRAO_TRY(ReadRange(begin, chunk.end(), nullptr));
  again.ordinal = chunk.ordinal;
  again.last = chunk.last;
  again.stored_bytes = chunk.stored_bytes;
  return again;
}

Result<int64_t> InputReader::LineBase(const Chunk& chunk) const {
  if (chunk.line_base >= 0) return chunk.line_base;
  return lines_->LinesBefore(chunk.begin);
}

Result<Chunk> InputReader::ReadRange(int64_t begin, int64_t end, std::shared_ptr<std::string> buffer) const {
  Chunk chunk{.begin = begin,
              .data = buffer && buffer.use_count() == 1 ? std::move(buffer) : std::make_shared<std::string>()};
  chunk.size = static_cast<size_t>(end - begin);
  chunk.original_begin = begin;
  chunk.data->resize(chunk.size + kPadding);
  size_t done = 0;
  while (done < chunk.size) {
    const auto rest = std::as_writable_bytes(std::span(*chunk.data)).subspan(done, chunk.size - done);
    const int64_t count = MUTIRAO_TRY(object_->ReadAt(begin + static_cast<int64_t>(done), rest));
    if (count == 0) return Status::Io(fmt::format("{} became shorter while it was read", input_.Name()));
    done += static_cast<size_t>(count);
  }
  // The buffer may have been longer: nothing of what it held may look like a line end behind the last record.
  std::memset(chunk.data->data() + chunk.size, 0, kPadding);
  return chunk;
}

}  // namespace mutirao::formats::csv
