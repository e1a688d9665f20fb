#include "formats/csv/chunk_parser.h"

#include <algorithm>
#include <cstring>
#include <numeric>
#include <span>
#include <utility>

#include <arrow/api.h>
#include <fmt/format.h>

#include "columnar/arrow_status.h"
#include "formats/csv/line_counter.h"
#include "formats/csv/structural_index.h"
#include "formats/csv/utf16_stream.h"

namespace mutirao::formats::csv {
namespace {

// Found records are turned into columns when this many are there: few enough to be still in the cache.
constexpr size_t kBlockRows = 512;
// Of these all columns are copied before the next: about as many as stay, with the ends of their fields, in the first cache.
constexpr size_t kCopiedRows = 128;
constexpr size_t kSmallestWindow = 1024;

std::string_view FaultText(RecordFault fault) {
  switch (fault) {
    case RecordFault::kTextAfterQuote:
      return "text after a closing quote";
    case RecordFault::kOpenQuote:
      return "a quote is never closed";
    case RecordFault::kStrayQuote:
      return "a quote inside an unquoted field";
    case RecordFault::kNone:
      break;
  }
  return "";
}

bool IsBad(RecordFault fault, QuoteRule rule) {
  if (fault == RecordFault::kNone || rule == QuoteRule::kLenient) return false;
  return fault != RecordFault::kStrayQuote || rule == QuoteRule::kStrict;
}

}  // namespace

struct ChunkParser::Provenance {
  arrow::StringBuilder source;
  arrow::StringBuilder member;
  arrow::Int64Builder line;
  arrow::Int64Builder offset;
  arrow::BinaryBuilder raw;

  arrow::ArrayBuilder* Of(ProvenanceColumn column) {
    switch (column) {
      case ProvenanceColumn::kSource:
        return &source;
      case ProvenanceColumn::kMember:
        return &member;
      case ProvenanceColumn::kLine:
        return &line;
      case ProvenanceColumn::kByteOffset:
        return &offset;
      case ProvenanceColumn::kRaw:
        break;
    }
    return &raw;
  }
};

ChunkParser::ChunkParser(std::shared_ptr<const ReadPlan> plan)
    : plan_(std::move(plan)), parser_(plan_->dialect), reader_(plan_->dialect), rows_(plan_->columns.size()) {}

ChunkParser::~ChunkParser() = default;

Result<std::unique_ptr<ChunkParser>> ChunkParser::Make(std::shared_ptr<const ReadPlan> plan) {
  std::unique_ptr<ChunkParser> parser(new ChunkParser(std::move(plan)));
  MUTIRAO_TRY(parser->MakeBuilders());
  return parser;
}

Status ChunkParser::MakeBuilders() {
  builders_.clear();
  provenance_ = std::make_unique<Provenance>();
  for (const WantedColumn& wanted : plan_->wanted) {
    if (wanted.provenance) {
      builders_.push_back(nullptr);
      continue;
    }
    auto builder =
        MUTIRAO_TRY(MakeColumnBuilder(plan_->columns[wanted.field], wanted.field, plan_->dialect, plan_->tuning.simd,
                                      plan_->on_error == ErrorPolicy::kNull, &result_.values_nulled));
    builders_.push_back(std::move(builder));
  }
  return Status::Ok();
}

Status ChunkParser::Begin(const ChunkPlace& place) {
  // What a chunk before this one left half-built when it failed is not worth keeping.
  if (batch_rows_ > 0) MUTIRAO_TRY(MakeBuilders());
  place_ = place;
  result_ = {};
  result_.end = place.start;
  const auto wants = [&](ProvenanceColumn column) {
    return std::ranges::any_of(plan_->wanted, [&](const WantedColumn& wanted) { return wanted.provenance == column; });
  };
  wants_lines_ = wants(ProvenanceColumn::kLine);
  wants_offsets_ = wants(ProvenanceColumn::kByteOffset);
  lines_before_ = 0;
  bytes_before_ = bad_before_ = 0;
  batch_rows_ = 0;
  // A row takes a byte or more, so that one block is never more than a batch.
  const size_t block_bytes = static_cast<size_t>(plan_->batch_rows) - std::min<size_t>(plan_->batch_rows, kBlockRows);
  largest_window_ = std::min({plan_->tuning.window_bytes, static_cast<size_t>(plan_->dialect.max_record_bytes),
                              std::max(kSmallestWindow, block_bytes)});
  window_bytes_ = largest_window_;
  stored_bytes_ = 0;
  return Status::Ok();
}

Result<size_t> ChunkParser::Take(std::string_view bytes, bool at_end) {
  bytes_ = bytes;
  at_end_ = at_end;
  rows_.Reset(bytes.data());
  exact_until_ = line_place_ = stored_place_ = 0;
  line_count_ = 0;
  const bool quick = plan_->tuning.quick_path && CanIndex(plan_->dialect);
  size_t at = result_.end == StartState::kTooLong ? SkipTooLong() : 0;
  while (result_.end == StartState::kRecord) {
    if (quick && at >= exact_until_) at = QuickWindow(at);
    if (rows_.rows() >= kBlockRows) MUTIRAO_TRY(FlushRows());
    if (!ExactRecord(&at)) break;
  }
  MUTIRAO_TRY(FlushRows());
  FinishBadRecords();
  if (wants_lines_) lines_before_ += LineOf(at);
  if (wants_offsets_) StoredBytesBefore(at);
  bytes_before_ += at;
  return at;
}

Result<ChunkResult> ChunkParser::Finish() {
  MUTIRAO_TRY(FinishBatch());
  result_.consumed = bytes_before_;
  return std::move(result_);
}

// Takes the records of a window whose bytes and shape are beyond doubt; gives the place behind them.
size_t ChunkParser::QuickWindow(size_t at) {
  const size_t size = std::min(window_bytes_, bytes_.size() - at);
  if (size == 0) return at;
  const char* data = bytes_.data();
  uint32_t* const offsets = rows_.Room(size + 64);
  const WindowIndex index =
      IndexWindow(plan_->dialect, plan_->tuning.simd, data + at, size, static_cast<uint32_t>(at), offsets);
  const size_t width = rows_.width();
  size_t rows = 0;
  size_t walked = 0;  // entries of records that are complete and of the right width
  if (index.line_ends * width <= index.entries) {
    const uint32_t* ends = offsets + width - 1;
    while (rows < index.line_ends && data[ends[rows * width]] == '\n') ++rows;
  }
  bool misshapen = rows < index.line_ends;
  if (misshapen) {
    // Some record has another width: take those before it, entry by entry.
    rows = 0;
    for (size_t entry = 0; entry < index.entries; ++entry) {
      if (data[offsets[entry]] != '\n') continue;
      if (entry + 1 - walked != width) break;
      walked = entry + 1;
      ++rows;
    }
  }
  if (plan_->dialect.comment >= 0) {
    const char comment = static_cast<char>(plan_->dialect.comment);
    size_t good = 0;
    while (good < rows && data[good == 0 ? at : offsets[good * width - 1] + 1] != comment) ++good;
    misshapen |= good < rows;
    rows = good;
  }
  const size_t end = rows == 0 ? at : offsets[rows * width - 1] + 1;
  if (index.high_bytes && !IsValidText(plan_->dialect.encoding, {data + at, end - at})) {
    exact_until_ = end;
    return at;
  }
  if (index.valid < size) {
    exact_until_ = at + index.valid + 64;
  } else if (misshapen) {
    exact_until_ = end + 1;
    window_bytes_ = std::min(largest_window_, std::max(kSmallestWindow, window_bytes_ / 4));
  } else {
    window_bytes_ = std::min(window_bytes_ * 2, largest_window_);
  }
  rows_.AddRows(at, rows);
  result_.records += static_cast<int64_t>(rows);
  return end;
}

// Takes one record by the exact rules; false when there is none that ends in these bytes.
bool ChunkParser::ExactRecord(size_t* at) {
  if (*at >= bytes_.size()) return false;
  parser_.Parse(bytes_, *at, at_end_, &record_);
  switch (record_.kind) {
    case RecordKind::kEnd:
      *at = bytes_.size();
      return false;
    case RecordKind::kIncomplete:
      return false;
    case RecordKind::kComment:
      break;
    case RecordKind::kBlank:
      TakeBlank();
      break;
    case RecordKind::kRecord:
      TakeRecord();
      break;
    case RecordKind::kTooLong:
      ++result_.records;
      result_.looked_until = bytes_before_ + record_.begin + static_cast<size_t>(plan_->dialect.max_record_bytes) + 1;
      AddBad(record_.begin, std::min(record_.end, record_.begin + static_cast<size_t>(plan_->dialect.max_record_bytes)),
             "", fmt::format("the record is longer than {} bytes", plan_->dialect.max_record_bytes));
      if (record_.next == std::string_view::npos) {
        result_.end = StartState::kTooLong;
        // A CR may be the first half of a CR LF.
        record_.next = bytes_.size() - (plan_->dialect.cr_ends && bytes_.back() == '\r' ? 1 : 0);
      }
      break;
  }
  *at = record_.next;
  return true;
}

void ChunkParser::TakeBlank() {
  if (rows_.width() != 1) {
    ++result_.blank_lines;
    return;
  }
  ++result_.records;
  rows_.AddRow(record_.end, {static_cast<uint32_t>(record_.end)});
}

void ChunkParser::TakeRecord() {
  ++result_.records;
  const Dialect& dialect = plan_->dialect;
  const std::string_view raw = bytes_.substr(record_.begin, record_.end - record_.begin);
  const size_t width = rows_.width();
  const size_t fields = record_.field_ends.size();
  const auto bad = [&](std::string column, std::string reason) {
    AddBad(record_.begin, record_.end, std::move(column), std::move(reason));
  };
  if (IsBad(record_.fault, dialect.quotes)) {
    return bad(record_.fault_field < width ? plan_->columns[record_.fault_field].name : "",
               std::string(FaultText(record_.fault)));
  }
  const bool filled_up = fields < width && plan_->on_error == ErrorPolicy::kNull;
  if (fields != width && !filled_up) return bad("", fmt::format("{} fields where {} are expected", fields, width));
  if (!IsValidText(dialect.encoding, raw)) {
    return bad("", fmt::format("bytes that are not valid {}",
                               IsUtf16(dialect.encoding) ? "utf-16" : EncodingName(dialect.encoding)));
  }
  if (dialect.nul != NulRule::kKeep) {
    const int64_t nuls = std::ranges::count(raw, '\0');
    if (nuls > 0 && dialect.nul == NulRule::kError) return bad("", "a NUL byte");
    result_.nul_bytes += nuls;
  }
  rows_.AddRow(record_.begin, record_.field_ends);
}

size_t ChunkParser::SkipTooLong() {
  const size_t next = parser_.NextLine(bytes_, 0, at_end_);
  result_.end = next == std::string_view::npos && !at_end_ ? StartState::kTooLong : StartState::kRecord;
  if (next != std::string_view::npos) return next;
  if (at_end_) return bytes_.size();
  const bool half = plan_->dialect.cr_ends && !bytes_.empty() && bytes_.back() == '\r';
  return bytes_.size() - (half ? 1 : 0);
}

void ChunkParser::AddBad(size_t begin, size_t end, std::string column, std::string reason) {
  std::string_view raw = bytes_.substr(begin, end - begin);
  result_.bad.push_back(
      {.begin = begin, .column = std::move(column), .reason = std::move(reason), .raw = std::string(raw)});
}

Status ChunkParser::FlushRows() {
  if (rows_.rows() == 0) return Status::Ok();
  SelectRows();
  if (batch_rows_ + static_cast<int64_t>(selection_.size()) > plan_->batch_rows) MUTIRAO_TRY(FinishBatch());
  ConvertRows();
  for (size_t begin = 0; begin < selection_.size(); begin += kCopiedRows) {
    const size_t count = std::min(kCopiedRows, selection_.size() - begin);
    for (const auto& builder : builders_) {
      if (!builder) continue;
      MUTIRAO_TRY(builder->Append(rows_, std::span(selection_).subspan(begin, count),
                                  std::span(places_).subspan(begin, count)));
    }
  }
  AppendProvenance();
  result_.delivered += static_cast<int64_t>(selection_.size());
  batch_rows_ += static_cast<int64_t>(selection_.size());
  rows_.Reset(bytes_.data());
  return Status::Ok();
}

void ChunkParser::SelectRows() {
  selection_.resize(rows_.rows());
  std::iota(selection_.begin(), selection_.end(), 0u);
  if (!plan_->filter) return;
  bad_fields_.clear();
  plan_->filter->Select(rows_, reader_, &filter_scratch_, &selection_, &bad_fields_,
                        plan_->on_error == ErrorPolicy::kNull ? &result_.values_nulled : nullptr);
  for (const PushedFilter::BadField& bad : bad_fields_) SetRowAside(bad.row, bad.field, bad.text);
  result_.filtered += static_cast<int64_t>(rows_.rows() - selection_.size() - bad_fields_.size());
}

void ChunkParser::SetRowAside(uint32_t row, size_t field, std::string_view text) {
  const ColumnSpec& column = plan_->columns[field];
  std::string reason = fmt::format("\"{}\" is no {}", text.substr(0, 100), TypeName(*column.type));
  if (!column.format.empty()) reason += fmt::format(" written as {}", column.format);
  if (plan_->guessed_types) reason += " (the type was guessed from the first rows; set it under types)";
  const size_t begin = rows_.start(row);
  AddBad(begin, begin + rows_.Raw(row).size(), column.name, std::move(reason));
}

// Sets rows aside whose values do not convert.
void ChunkParser::ConvertRows() {
  std::vector<std::pair<size_t, std::pair<size_t, std::string>>> first_fault;  // row → column, text
  std::vector<ConversionFault> faults;
  for (size_t i = 0; i < builders_.size(); ++i) {
    faults.clear();
    if (builders_[i]) builders_[i]->Convert(rows_, selection_, &faults);
    for (ConversionFault& fault : faults)
      first_fault.push_back({fault.row, {plan_->wanted[i].field, std::move(fault.text)}});
  }
  places_.clear();
  if (first_fault.empty()) {
    places_.resize(selection_.size());
    std::iota(places_.begin(), places_.end(), 0u);
    return;
  }
  // The leftmost field of the record is named, whatever the order of the delivered columns.
  std::ranges::sort(first_fault);
  size_t next = 0;
  for (size_t i = 0; i < selection_.size(); ++i) {
    if (next < first_fault.size() && first_fault[next].first == i) {
      const auto& [field, text] = first_fault[next].second;
      SetRowAside(selection_[i], field, text);
      while (next < first_fault.size() && first_fault[next].first == i) ++next;
      continue;
    }
    places_.push_back(static_cast<uint32_t>(i));
  }
  for (size_t i = 0; i < places_.size(); ++i) selection_[i] = selection_[places_[i]];
  selection_.resize(places_.size());
}

void ChunkParser::AppendProvenance() {
  for (size_t i = 0; i < plan_->wanted.size(); ++i) {
    if (!plan_->wanted[i].provenance) continue;
    for (const uint32_t row : selection_) {
      switch (*plan_->wanted[i].provenance) {
        case ProvenanceColumn::kSource:
          MUTIRAO_MUST(provenance_->source.Append(place_.source));
          break;
        case ProvenanceColumn::kMember:
          MUTIRAO_MUST(place_.member.empty() ? provenance_->member.AppendNull()
                                             : provenance_->member.Append(place_.member));
          break;
        case ProvenanceColumn::kLine:
          MUTIRAO_MUST(provenance_->line.Append(place_.line_base + lines_before_ + LineOf(rows_.start(row)) + 1));
          break;
        case ProvenanceColumn::kByteOffset:
          MUTIRAO_MUST(provenance_->offset.Append(place_.offset + StoredBytesBefore(rows_.start(row))));
          break;
        case ProvenanceColumn::kRaw:
          MUTIRAO_MUST(provenance_->raw.Append(rows_.Raw(row)));
          break;
      }
    }
  }
}

// Bytes of the file before a place of the chunk, which are others than those of the text when it was utf-16.
// REQUIRES: places are asked for in order.
int64_t ChunkParser::StoredBytesBefore(size_t place) {
  if (!IsUtf16(plan_->dialect.encoding)) return static_cast<int64_t>(bytes_before_ + place);
  stored_bytes_ += Utf16Bytes(bytes_.substr(stored_place_, place - stored_place_));
  stored_place_ = place;
  return stored_bytes_;
}

Status ChunkParser::FinishBatch() {
  if (batch_rows_ == 0) return Status::Ok();
  arrow::ArrayVector arrays;
  for (size_t i = 0; i < builders_.size(); ++i) {
    if (builders_[i]) {
      auto array = MUTIRAO_TRY(builders_[i]->Finish());
      arrays.push_back(std::move(array));
    } else {
      auto array = MUTIRAO_TRY(provenance_->Of(*plan_->wanted[i].provenance)->Finish());
      arrays.push_back(std::move(array));
    }
  }
  result_.batches.push_back(arrow::RecordBatch::Make(plan_->schema, batch_rows_, std::move(arrays)));
  batch_rows_ = 0;
  return Status::Ok();
}

// Puts the bad records of these bytes into the file's order and finds their lines.
void ChunkParser::FinishBadRecords() {
  const auto bad = std::span(result_.bad).subspan(bad_before_);
  std::ranges::sort(bad, {}, &BadRecord::begin);
  line_place_ = 0;
  line_count_ = 0;
  for (BadRecord& record : bad) {
    record.line = LineOf(record.begin) + (wants_lines_ ? lines_before_ : 0);
    record.lines_from = wants_lines_ ? 0 : bytes_before_;
    record.begin += bytes_before_;
  }
  bad_before_ = result_.bad.size();
}

// Line ends before a place. REQUIRES: places are asked for in order.
int64_t ChunkParser::LineOf(size_t place) {
  const std::string_view between = bytes_.substr(line_place_, place - line_place_);
  line_count_ += CountLineEnds(between, plan_->dialect.cr_ends, place < bytes_.size() ? bytes_[place] : '\0');
  line_place_ = place;
  return line_count_;
}

}  // namespace mutirao::formats::csv
