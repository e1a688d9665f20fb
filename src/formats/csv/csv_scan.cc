#include "formats/csv/csv_scan.h"

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <deque>
#include <map>
#include <mutex>
#include <utility>

#include <arrow/record_batch.h>
#include <fmt/format.h>

#include "formats/csv/chunk_parser.h"
#include "formats/csv/input_reader.h"
#include "formats/csv/structural_index.h"
#include "formats/csv/utf16_stream.h"

namespace mutirao::formats::csv {
namespace {

using Lock = std::unique_lock<std::mutex>;

// A chunk and what it gave, waiting for the chunk before it.
struct ParsedChunk {
  Chunk chunk;
  ChunkResult result;
};

// One input and how far it is proved.
struct ActiveInput {
  std::unique_ptr<InputReader> reader;
  enum class State : uint8_t { kNew, kOpening, kOpen, kDone } state = State::kNew;
  int64_t claimed = 0;
  int64_t morsels = 0;

  std::map<int64_t, ParsedChunk> parsed;
  bool proving = false;
  int64_t next_ordinal = 0;
  int64_t proved_end = -1;  // -1: wherever the first chunk begins
  StartState proved_state = StartState::kRecord;
  int64_t uncut_until = 0;  // what was found before this place needed bytes up to it
  std::string tail;         // bytes of a stream behind proved_end that a chunk had and could not finish
  int64_t line_ends = 0;    // of a stream, before proved_end
};

class CsvScan : public frame::Scan {
 public:
  explicit CsvScan(ScanSetup setup) : setup_(std::move(setup)), plan_(setup_.plan) {
    wants_lines_ = plan_->WantsLines();
    for (const Input& input : setup_.inputs) {
      inputs_.emplace_back();
      inputs_.back().reader = std::make_unique<InputReader>(input, plan_);
      setup_.context.counters->bytes_total += input.StoredBytes();
    }
    parsers_.resize(static_cast<size_t>(std::max(setup_.workers, 1)));
    buffers_.resize(parsers_.size());
  }

  ~CsvScan() override {
    // The feeds' threads call back into this object.
    for (ActiveInput& input : inputs_) input.reader.reset();
  }

  Result<frame::Morsel> Next(int worker) override {
    Lock lock(mutex_);
    for (;;) {
      if (!failure_.ok()) return failure_;
      if (setup_.context.stop.stop_requested()) {
        Fail(Status::Cancelled("the scan was cancelled"));
        continue;
      }
      if (!ready_.empty()) {
        frame::Morsel morsel = std::move(ready_.front());
        ready_.pop_front();
        return morsel;
      }
      if (setup_.limit && delivered_ >= *setup_.limit) return frame::Morsel{};
      auto worked = WorkOnce(worker, lock);
      if (!worked.ok()) {
        Fail(worked.status());
        continue;
      }
      if (*worked) continue;
      if (AllDone()) {
        const Status status = CheckShare();
        if (status.ok()) return frame::Morsel{};
        Fail(status);
        continue;
      }
      changed_.wait_for(lock, std::chrono::milliseconds(50));
    }
  }

 private:
  // Finds something to do and does it, without the lock; false when there is nothing just now.
  Result<bool> WorkOnce(int worker, Lock& lock) {
    int active = 0;
    int64_t waiting = 0;  // chunks that hold memory until those before them are delivered
    const int most = setup_.preserve_order ? 1 : std::max(setup_.workers, 1);
    const int64_t most_waiting = 4 * std::max(setup_.workers, 1);
    for (ActiveInput& input : inputs_) {
      if (active >= most || (setup_.preserve_order && waiting >= most_waiting)) break;
      if (input.state == ActiveInput::State::kDone) continue;
      waiting += input.claimed - input.next_ordinal;
      if (input.state == ActiveInput::State::kNew) {
        MUTIRAO_TRY(OpenInput(&input, lock));
        return true;
      }
      if (input.state == ActiveInput::State::kOpening) {
        ++active;
        continue;
      }
      // A slow chunk must not let the others pile up behind it.
      if (input.claimed - input.next_ordinal >= most_waiting) {
        ++active;
        continue;
      }
      auto chunk = MUTIRAO_TRY(input.reader->Claim());
      if (chunk) {
        ++input.claimed;
        MUTIRAO_TRY(ParseChunk(&input, std::move(*chunk), worker, lock));
        return true;
      }
      if (!input.reader->exhausted()) ++active;
    }
    return false;
  }

  Status OpenInput(ActiveInput* input, Lock& lock) {
    input->state = ActiveInput::State::kOpening;
    lock.unlock();
    const std::string name = input->reader->input().Name();
    Status status =
        input->reader->Open([this, name](const Preamble& preamble) { return setup_.check_preamble(preamble, name); },
                            [this] {
                              { std::lock_guard guard(mutex_); }
                              changed_.notify_all();
                            });
    lock.lock();
    MUTIRAO_TRY(std::move(status));
    input->state = ActiveInput::State::kOpen;
    if (setup_.on_boundary && input->reader->seekable()) setup_.on_boundary(input->reader->data_begin());
    changed_.notify_all();
    return Status::Ok();
  }

  Status ParseChunk(ActiveInput* input, Chunk chunk, int worker, Lock& lock) {
    lock.unlock();
    auto result = LoadAndParse(*input->reader, &chunk, StartState::kRecord, static_cast<size_t>(worker));
    lock.lock();
    ChunkResult parsed = MUTIRAO_TRY(std::move(result));
    const int64_t ordinal = chunk.ordinal;
    input->parsed.emplace(ordinal, ParsedChunk{std::move(chunk), std::move(parsed)});
    if (!setup_.preserve_order) return Prove(input, static_cast<size_t>(worker), lock);
    // In order, an input waits until those before it are done, and whoever ends one goes on with the next.
    for (ActiveInput& other : inputs_) {
      if (other.state == ActiveInput::State::kDone) continue;
      MUTIRAO_TRY(Prove(&other, static_cast<size_t>(worker), lock));
      if (other.state != ActiveInput::State::kDone) break;
    }
    return Status::Ok();
  }

  Result<ChunkResult> LoadAndParse(const InputReader& reader, Chunk* chunk, StartState start, size_t worker) {
    if (!parsers_[worker]) parsers_[worker] = MUTIRAO_TRY(ChunkParser::Make(plan_));
    ChunkParser& parser = *parsers_[worker];
    const std::string member = reader.input().MemberName();
    const auto begin = [&]() -> Status {
      if (wants_lines_) chunk->line_base = MUTIRAO_TRY(reader.LineBase(*chunk));
      return parser.Begin({.offset = chunk->original_begin,
                           .line_base = chunk->line_base,
                           .start = start,
                           .source = reader.input().file.uri,
                           .member = member});
    };
    const bool at_end = chunk->last && reader.ends_file();
    if (chunk->data) {
      MUTIRAO_TRY(begin());
      MUTIRAO_TRY(parser.Take(chunk->bytes(), at_end));
      if (CountsLines(reader)) chunk->line_ends = CountLineEnds(chunk->bytes(), false, '\0');
    } else {
      MUTIRAO_TRY(reader.ReadPieces(chunk, &buffers_[worker], begin, [&](std::string_view bytes, bool last) {
        return parser.Take(bytes, at_end && last);
      }));
    }
    ChunkResult result = MUTIRAO_TRY(parser.Finish());
    if (!result.bad.empty()) MUTIRAO_TRY(PlaceBadRecords(reader, chunk, &result));
    return result;
  }

  // Whether the lines of a stream's chunks are counted when these are parsed, and added up when they are delivered.
  bool CountsLines(const InputReader& reader) const {
    return !reader.seekable() && !wants_lines_ && !plan_->dialect.cr_ends;
  }

  // Makes lines count from the chunk's first byte and gives back the bytes of the file.
  Status PlaceBadRecords(const InputReader& reader, Chunk* chunk, ChunkResult* result) {
    if (!CountsLines(reader)) chunk->line_base = MUTIRAO_TRY(reader.LineBase(*chunk));
    for (BadRecord& bad : result->bad) {
      if (bad.lines_from == 0) continue;
      const int64_t before = MUTIRAO_TRY(reader.LinesBefore(chunk->begin + static_cast<int64_t>(bad.lines_from)));
      bad.line += before - chunk->line_base;
      bad.lines_from = 0;
    }
    if (!IsUtf16(plan_->dialect.encoding)) return Status::Ok();
    for (BadRecord& bad : result->bad) {
      bad.begin = static_cast<size_t>(Utf16Bytes(chunk->bytes().substr(0, bad.begin)));
      bad.raw = Utf16Original(bad.raw, reader.big_endian());
    }
    return Status::Ok();
  }

  // Delivers parsed chunks in order, as far as each begins where the one before ended; others are parsed again.
  Status Prove(ActiveInput* input, size_t worker, Lock& lock) {
    if (input->proving) return Status::Ok();
    input->proving = true;
    while (failure_.ok() && !input->parsed.empty() && input->parsed.begin()->first == input->next_ordinal) {
      ParsedChunk parsed = std::move(input->parsed.begin()->second);
      input->parsed.erase(input->parsed.begin());
      if (input->proved_end < 0) input->proved_end = parsed.chunk.begin;
      if (parsed.chunk.begin != input->proved_end || input->proved_state != StartState::kRecord) {
        lock.unlock();
        auto again = ParseAgain(*input, std::move(parsed.chunk), worker);
        lock.lock();
        parsed = MUTIRAO_TRY(std::move(again));
      }
      MUTIRAO_TRY(Deliver(input, &parsed));
    }
    input->proving = false;
    changed_.notify_all();
    return Status::Ok();
  }

  Result<ParsedChunk> ParseAgain(const ActiveInput& input, Chunk chunk, size_t worker) {
    const InputReader& reader = *input.reader;
    if (reader.seekable()) {
      chunk = MUTIRAO_TRY(reader.LoadFrom(input.proved_end, chunk));
    } else if (!input.tail.empty()) {
      auto joined = std::make_shared<std::string>(input.tail);
      joined->append(chunk.data->data(), chunk.size + kPadding);
      if (!CountsLines(reader)) {
        chunk.line_base -=
            CountLineEnds(input.tail, plan_->dialect.cr_ends, chunk.size > 0 ? chunk.data->front() : '\0');
      }
      chunk.original_begin -=
          IsUtf16(plan_->dialect.encoding) ? Utf16Bytes(input.tail) : static_cast<int64_t>(input.tail.size());
      chunk.begin = input.proved_end;
      chunk.size += input.tail.size();
      chunk.data = std::move(joined);
    }
    ChunkResult result = MUTIRAO_TRY(LoadAndParse(reader, &chunk, input.proved_state, worker));
    return ParsedChunk{std::move(chunk), std::move(result)};
  }

  // REQUIRES: the lock is held.
  Status Deliver(ActiveInput* input, ParsedChunk* parsed) {
    const ChunkResult& result = parsed->result;
    Chunk& chunk = parsed->chunk;
    input->next_ordinal = chunk.ordinal + 1;
    input->proved_end = chunk.begin + static_cast<int64_t>(result.consumed);
    input->proved_state = result.end;
    if (!input->reader->seekable()) input->tail.assign(chunk.bytes().substr(result.consumed));
    if (CountsLines(*input->reader)) {
      // What stands before the first chunk was counted by whoever read it.
      if (chunk.ordinal > 0) chunk.line_base = input->line_ends;
      input->line_ends = chunk.line_base + chunk.line_ends - CountLineEnds(input->tail, false, '\0');
    }
    frame::ScanCounters& counters = *setup_.context.counters;
    counters.rows_read += result.records;
    counters.rows_filtered += result.filtered;
    counters.rows_delivered += result.delivered;
    counters.blank_lines += result.blank_lines;
    counters.nul_bytes_dropped += result.nul_bytes;
    counters.values_nulled += result.values_nulled;
    counters.bytes_read += chunk.stored_bytes;
    records_ += result.records;
    delivered_ += result.delivered;
    MUTIRAO_TRY(SetAside(*input, parsed));
    const auto number = static_cast<int64_t>(input - inputs_.data());
    for (BatchPtr& batch : parsed->result.batches)
      ready_.push_back({std::move(batch), number << 40 | input->morsels++});
    if (result.looked_until > 0) input->uncut_until = chunk.begin + static_cast<int64_t>(result.looked_until);
    const bool between_records = input->proved_state == StartState::kRecord && input->proved_end >= input->uncut_until;
    if (setup_.on_boundary && input->reader->seekable() && between_records) setup_.on_boundary(input->proved_end);
    if (chunk.last) {
      if (input->proved_end != chunk.end()) {
        return Status::Invalid(fmt::format("{}: no record ends at byte {}, where a split does",
                                           input->reader->input().Name(), chunk.end()))
            .Help("the file changed after it was cut; run again");
      }
      input->state = ActiveInput::State::kDone;
    }
    return Status::Ok();
  }

  Status SetAside(const ActiveInput& input, ParsedChunk* parsed) {
    for (BadRecord& bad : parsed->result.bad) {
      frame::QuarantinedRow row{.source = input.reader->input().file.uri,
                                .member = input.reader->input().MemberName(),
                                .line = parsed->chunk.line_base + bad.line + 1,
                                .byte_offset = parsed->chunk.original_begin + static_cast<int64_t>(bad.begin),
                                .column = std::move(bad.column),
                                .reason = std::move(bad.reason),
                                .raw = std::move(bad.raw)};
      if (plan_->on_error == ErrorPolicy::kFail) {
        return BadRow(input, row).Help("set on_error: quarantine to keep such rows aside and go on");
      }
      if (setup_.context.quarantine == nullptr)
        return Status::Internal("a csv scan that quarantines was given no place for it");
      ++setup_.context.counters->rows_quarantined;
      ++quarantined_;
      const Status failed = BadRow(input, row);
      MUTIRAO_TRY(setup_.context.quarantine->Add(std::move(row)));
      if (setup_.error_limit.count && quarantined_ > *setup_.error_limit.count) {
        return Status(failed).Context(fmt::format("more than max_errors: {} bad rows", *setup_.error_limit.count));
      }
    }
    return Status::Ok();
  }

  static Status BadRow(const ActiveInput& input, const frame::QuarantinedRow& row) {
    const std::string column = row.column.empty() ? "" : fmt::format(" column \"{}\":", row.column);
    return Status::Invalid(fmt::format("{}:{}:{} bad row: {} (byte offset {})", input.reader->input().Name(), row.line,
                                       column, row.reason, row.byte_offset));
  }

  Status CheckShare() const {
    if (!setup_.error_limit.share ||
        static_cast<double>(quarantined_) <= *setup_.error_limit.share * static_cast<double>(records_))
      return Status::Ok();
    return Status::Invalid(fmt::format("{} of {} rows are bad, more than max_errors: {}%", quarantined_, records_,
                                       *setup_.error_limit.share * 100));
  }

  bool AllDone() const {
    return std::ranges::all_of(inputs_,
                               [](const ActiveInput& input) { return input.state == ActiveInput::State::kDone; });
  }

  void Fail(Status status) {
    if (failure_.ok()) failure_ = std::move(status);
    changed_.notify_all();
  }

  const ScanSetup setup_;
  const std::shared_ptr<const ReadPlan> plan_;
  bool wants_lines_ = false;

  // One a worker, used by it alone.
  std::vector<std::unique_ptr<ChunkParser>> parsers_;
  std::vector<std::string> buffers_;

  std::mutex mutex_;
  std::condition_variable changed_;
  // All below is guarded by mutex_, but for the readers' own calls.
  std::vector<ActiveInput> inputs_;
  std::deque<frame::Morsel> ready_;
  int64_t records_ = 0;
  int64_t delivered_ = 0;
  int64_t quarantined_ = 0;
  Status failure_;
};

}  // namespace

Result<std::unique_ptr<frame::Scan>> StartScan(ScanSetup setup) {
  return std::unique_ptr<frame::Scan>(std::make_unique<CsvScan>(std::move(setup)));
}

}  // namespace mutirao::formats::csv
