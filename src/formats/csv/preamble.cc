#include "formats/csv/preamble.h"

#include <algorithm>
#include <set>

#include <fmt/format.h>

#include "formats/csv/record_parser.h"

namespace mutirao::formats::csv {
namespace {

// How far a file without header is looked at for its first line end.
constexpr size_t kPeekBytes = size_t{1} << 20;

class PreambleReader {
 public:
  PreambleReader(const Dialect& dialect, std::string_view head, bool at_end, const std::string& name)
      : dialect_(dialect), head_(head), at_end_(at_end), name_(name), parser_(dialect) {}

  Result<std::optional<Preamble>> Read() {
    if (head_.size() < 3 && !at_end_) return std::optional<Preamble>();
    size_t at = MUTIRAO_TRY(SkipMark());
    for (int64_t line = 0; line < dialect_.skip && at < head_.size(); ++line) {
      at = parser_.NextLine(head_, at, at_end_);
      if (at == std::string_view::npos && !at_end_) return std::optional<Preamble>();
      at = std::min(at, head_.size());
    }
    if (dialect_.skip > 0 && at == head_.size() && !at_end_) return std::optional<Preamble>();
    return ReadHeader(at);
  }

 private:
  Result<size_t> SkipMark() const {
    const bool is_utf8 = dialect_.encoding == Encoding::kUtf8 || IsUtf16(dialect_.encoding);
    if (head_.starts_with("\xEF\xBB\xBF")) {
      if (!is_utf8) return WrongMark("utf-8");
      return size_t{3};
    }
    if (IsUtf16(dialect_.encoding)) return size_t{0};
    if (head_.starts_with("\xFF\xFE") || head_.starts_with("\xFE\xFF")) return WrongMark("utf-16");
    return size_t{0};
  }

  // Read in another encoding, every accent would become two wrong letters that nobody counts.
  Status WrongMark(std::string_view encoding) const {
    return Status::Invalid(fmt::format("{}: the text begins with the mark of {}, but its encoding is said to be {}",
                                       name_, encoding, EncodingName(dialect_.encoding)))
        .Help(fmt::format("set encoding: {}", encoding));
  }

  Result<std::optional<Preamble>> ReadHeader(size_t at) {
    Record record;
    Preamble preamble{.data_begin = at};
    for (;;) {
      parser_.Parse(head_, at, at_end_, &record);
      if (record.kind == RecordKind::kComment || record.kind == RecordKind::kBlank) {
        at = record.next;
        continue;
      }
      if (record.kind == RecordKind::kIncomplete || (record.kind == RecordKind::kEnd && !at_end_)) {
        // Without a header only the line ends are of interest.
        if (!dialect_.header && (head_.size() >= kPeekBytes || head_.find('\n', at) != head_.npos))
          return std::optional(preamble);
        return std::optional<Preamble>();
      }
      break;
    }
    MUTIRAO_TRY(RefuseLoneCr(record));
    if (!dialect_.header) return std::optional(preamble);
    MUTIRAO_TRY(TakeHeader(record, &preamble));
    return std::optional(preamble);
  }

  Status RefuseLoneCr(const Record& record) const {
    if (dialect_.cr_ends || record.kind != RecordKind::kRecord || !at_end_ || record.end != head_.size())
      return Status::Ok();
    size_t begin = record.begin;
    for (const uint32_t end : record.field_ends) {
      const std::string_view field = head_.substr(begin, end - begin);
      begin = end + 1;
      const bool outside = !IsQuoted(dialect_, field) || record.fault == RecordFault::kTextAfterQuote;
      if (!outside || field.find('\r') == field.npos) continue;
      return Status::Invalid(fmt::format("{}: the only line ends of this file are lone CR characters", name_))
          .Help("set newline: cr");
    }
    return Status::Ok();
  }

  Status TakeHeader(const Record& record, Preamble* preamble) const {
    if (record.kind == RecordKind::kEnd) {
      return Status::Invalid(fmt::format("{}: the file is empty, but a header was promised", name_))
          .Help("set header: false, or give columns or a layout");
    }
    const std::string_view raw = head_.substr(record.begin, record.end - record.begin);
    const bool forgiven = record.fault == RecordFault::kNone || dialect_.quotes == QuoteRule::kLenient ||
                          (record.fault == RecordFault::kStrayQuote && dialect_.quotes == QuoteRule::kStandard);
    if (record.kind == RecordKind::kTooLong || !forgiven) {
      return Status::Invalid(
          fmt::format("{}: the header is no record: {}", name_,
                      record.kind == RecordKind::kTooLong ? "it is too long" : "its quotes are wrong"));
    }
    if (!IsValidText(dialect_.encoding, raw)) {
      return Status::Invalid(
                 fmt::format("{}: the header has bytes that are not valid {}", name_, EncodingName(dialect_.encoding)))
          .Help("set encoding, for example latin-1");
    }
    size_t begin = record.begin;
    for (const uint32_t end : record.field_ends) {
      preamble->header.emplace_back();
      DecodeField(dialect_, head_.substr(begin, end - begin), &preamble->header.back());
      begin = end + 1;
    }
    preamble->data_begin = record.next;
    return Status::Ok();
  }

  const Dialect& dialect_;
  std::string_view head_;
  bool at_end_;
  const std::string& name_;
  RecordParser parser_;
};

}  // namespace

Result<std::optional<Preamble>> ReadPreamble(const Dialect& dialect, std::string_view head, bool at_end,
                                             const std::string& name) {
  return PreambleReader(dialect, head, at_end, name).Read();
}

std::vector<std::string> ColumnNames(const std::vector<std::string>& header, std::vector<std::string>* warnings) {
  std::set<std::string> taken(header.begin(), header.end());
  std::set<std::string> seen;
  std::vector<std::string> names;
  for (size_t i = 0; i < header.size(); ++i) {
    std::string name = header[i];
    if (name.empty()) {
      name = fmt::format("column_{}", i + 1);
      while (taken.contains(name)) name += '_';
      warnings->push_back(fmt::format("header name {} is empty and became {}", i + 1, name));
    } else if (seen.contains(name)) {
      int number = 2;
      while (taken.contains(fmt::format("{}_{}", header[i], number))) ++number;
      name = fmt::format("{}_{}", header[i], number);
      warnings->push_back(fmt::format("header name {} is \"{}\" again and became {}", i + 1, header[i], name));
    }
    taken.insert(name);
    seen.insert(name);
    names.push_back(std::move(name));
  }
  return names;
}

}  // namespace mutirao::formats::csv
