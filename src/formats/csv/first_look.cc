#include "formats/csv/first_look.h"

#include <algorithm>
#include <map>
#include <memory>
#include <utility>

#include <arrow/type.h>
#include <fmt/format.h>

#include "formats/csv/preamble.h"
#include "formats/csv/utf16_stream.h"
#include "formats/csv/value_parser.h"

namespace mutirao::formats::csv {
namespace {

constexpr size_t kHeadBytes = size_t{64} << 10;
constexpr int kSniffedRecords = 200;

// The beginning of an input as text, as much as is asked for.
class Head {
 public:
  static Result<Head> Open(const Input& input, Encoding encoding) {
    Head head;
    head.stream_ = MUTIRAO_TRY(OpenContent(input));
    if (IsUtf16(encoding))
      head.stream_ = std::make_unique<Utf16Stream>(std::move(head.stream_), encoding, input.Name());
    return head;
  }

  Status Fill(size_t size) {
    if (ended_ || text_.size() >= size) return Status::Ok();
    const size_t before = text_.size();
    text_.resize(size);
    const int64_t count = MUTIRAO_TRY(stream_->Read(std::as_writable_bytes(std::span(text_)).subspan(before)));
    ended_ = before + static_cast<size_t>(count) < size;
    text_.resize(before + static_cast<size_t>(count));
    return Status::Ok();
  }

  std::string_view text() const { return text_; }
  bool ended() const { return ended_; }

 private:
  std::unique_ptr<archive::ByteStream> stream_;
  std::string text_;
  bool ended_ = false;
};

// Gives the number of fields of the first record, 0 when there is none, or nothing when more bytes are needed.
std::optional<size_t> FirstWidth(const Dialect& dialect, std::string_view text, size_t at, bool at_end) {
  const RecordParser parser(dialect);
  Record record;
  bool blank = false;
  for (;;) {
    parser.Parse(text, at, at_end, &record);
    if (record.kind == RecordKind::kRecord) return record.field_ends.size();
    if (record.kind == RecordKind::kEnd && at_end) return blank ? 1 : 0;
    if (record.kind == RecordKind::kIncomplete || record.kind == RecordKind::kEnd ||
        record.next == std::string_view::npos)
      return std::nullopt;
    blank |= record.kind == RecordKind::kBlank;
    at = record.next;
  }
}

struct SniffScore {
  double score = -1;
  char delimiter = ',';
  int quote = '"';
};

// How well one dialect explains the text: records of one width, more fields better, faults bad.
double Score(const Dialect& dialect, std::string_view text, bool at_end) {
  const RecordParser parser(dialect);
  Record record;
  std::map<size_t, int> widths;
  int records = 0;
  int faults = 0;
  size_t quoted = 0;
  for (size_t at = 0; records < kSniffedRecords;) {
    parser.Parse(text, at, at_end, &record);
    if (record.kind == RecordKind::kEnd || record.kind == RecordKind::kIncomplete ||
        record.next == std::string_view::npos)
      break;
    if (record.kind == RecordKind::kRecord) {
      ++records;
      ++widths[record.field_ends.size()];
      faults += record.fault != RecordFault::kNone ? 1 : 0;
      size_t begin = record.begin;
      for (const uint32_t end : record.field_ends) {
        quoted += IsQuoted(dialect, text.substr(begin, end - begin)) ? 1 : 0;
        begin = end + 1;
      }
    }
    at = record.next;
  }
  if (records == 0) return -1;
  const auto common = std::ranges::max_element(widths, {}, [](const auto& entry) { return entry.second; });
  if (common->first == 1) return 0;
  const double share = static_cast<double>(common->second) / records;
  const double clean = 1 - static_cast<double>(faults) / records;
  return share * share * clean * clean * (1 + 0.05 * static_cast<double>(std::min<size_t>(common->first, 20))) +
         (quoted > 0 ? 0.01 : 0);
}

// A header is a first record of names: none empty, none a number, none twice, while a later record has a number.
bool LooksLikeHeader(const Dialect& dialect, std::string_view text, size_t at, bool at_end) {
  const RecordParser parser(dialect);
  Record record;
  std::vector<std::vector<std::string>> rows;
  while (rows.size() < 20) {
    parser.Parse(text, at, at_end, &record);
    if (record.kind == RecordKind::kEnd || record.kind == RecordKind::kIncomplete ||
        record.next == std::string_view::npos)
      break;
    if (record.kind == RecordKind::kRecord) {
      auto& row = rows.emplace_back();
      size_t begin = record.begin;
      for (const uint32_t end : record.field_ends) {
        row.emplace_back();
        DecodeField(dialect, text.substr(begin, end - begin), &row.back());
        begin = end + 1;
      }
    }
    at = record.next;
  }
  if (rows.empty()) return false;
  const auto is_text = [](const std::string& value) { return GuessType({value})->id() == arrow::Type::STRING; };
  const auto& first = rows.front();
  for (size_t i = 0; i < first.size(); ++i) {
    if (first[i].empty() || !is_text(first[i]) || std::ranges::count(first, first[i]) > 1) return false;
  }
  if (rows.size() == 1) return true;
  // Where all is text, values that come again below are data.
  for (size_t i = 0; i < first.size(); ++i) {
    for (size_t r = 1; r < rows.size(); ++r) {
      if (i < rows[r].size() && rows[r][i] == first[i]) return false;
    }
  }
  return true;
}

}  // namespace

void SniffDialect(std::string_view head, bool at_end, CsvSpec* spec) {
  Dialect base = spec->dialect;
  base.header = false;
  const std::string name = "sniffed text";
  const auto preamble = ReadPreamble(base, head, at_end, name);
  const size_t begin = preamble.ok() && *preamble ? (*preamble)->data_begin : 0;
  std::vector<char> delimiters = {',', ';', '\t', '|'};
  std::vector<int> quotes = {'"', '\''};
  if (spec->Gave("delimiter")) delimiters = {base.delimiter};
  if (spec->Gave("quote")) quotes = {base.quote};
  SniffScore best;
  for (const int quote : quotes) {
    for (const char delimiter : delimiters) {
      Dialect dialect = base;
      dialect.delimiter = delimiter;
      dialect.quote = quote;
      const double score = Score(dialect, head.substr(begin), at_end);
      if (score > best.score) best = {score, delimiter, quote};
    }
  }
  spec->dialect.delimiter = best.delimiter;
  spec->dialect.quote = best.quote;
  const bool named = !spec->columns.empty();
  if (!spec->Gave("header") && !named) spec->dialect.header = LooksLikeHeader(spec->dialect, head, begin, at_end);
}

TypePtr GuessType(const std::vector<std::string>& texts) {
  if (texts.empty()) return arrow::utf8();
  const TypePtr candidates[] = {arrow::int64(), arrow::float64(), arrow::date32(),
                                arrow::timestamp(arrow::TimeUnit::MICRO), arrow::boolean()};
  for (const TypePtr& type : candidates) {
    const auto parser = ValueParser::Make({.name = "", .type = type});
    const bool number = type->id() == arrow::Type::INT64 || type->id() == arrow::Type::DOUBLE;
    const bool all = std::ranges::all_of(texts, [&](const std::string& text) {
      // Codes such as 007 lose their zeros as numbers, and words such as "nan" are words.
      if (number && text.size() > 1 && text[0] == '0' && text[1] != '.') return false;
      if (number && text.find_first_of("0123456789") == text.npos) return false;
      ParsedValue value;
      return (*parser)->Parse(text, &value);
    });
    if (all) return type;
  }
  return arrow::utf8();
}

Status LookAtFirstFile(const std::vector<Input>& inputs, CsvSpec* spec) {
  if (inputs.empty()) return Status::Invalid("there is no file to read");
  for (const Input& input : inputs) {
    Head head = MUTIRAO_TRY(Head::Open(input, spec->dialect.encoding));
    MUTIRAO_TRY(head.Fill(kHeadBytes));
    if (spec->sniff) SniffDialect(head.text(), head.ended(), spec);
    if (!spec->columns.empty()) return Status::Ok();
    for (size_t size = kHeadBytes;; size *= 2) {
      MUTIRAO_TRY(head.Fill(size));
      const auto preamble = MUTIRAO_TRY(ReadPreamble(spec->dialect, head.text(), head.ended(), input.Name()));
      if (!preamble) continue;
      std::vector<std::string> header = preamble->header;
      if (!spec->dialect.header) {
        const auto width = FirstWidth(spec->dialect, head.text(), preamble->data_begin, head.ended());
        if (!width) continue;
        header.assign(*width, "");
      }
      if (header.empty()) break;  // no record at all: perhaps the next file has one
      std::vector<std::string> warnings;
      const std::vector<std::string> names = ColumnNames(header, &warnings);
      for (const std::string& name : names) spec->columns.push_back({.name = name, .type = arrow::utf8()});
      spec->header_names = spec->dialect.header;
      if (spec->dialect.header) spec->warnings = std::move(warnings);
      return Status::Ok();
    }
  }
  return Status::Invalid(fmt::format("{} is empty: there is no record to take columns from", inputs.front().Name()))
      .Help("give columns or a layout");
}

}  // namespace mutirao::formats::csv
