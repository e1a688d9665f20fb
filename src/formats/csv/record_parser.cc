#include "formats/csv/record_parser.h"

#include <algorithm>
#include <cstring>

namespace mutirao::formats::csv {

// Where the parser stands in a record.
struct RecordParser::Cursor {
  const char* data;
  size_t at;
  size_t end;
  bool at_end;
  bool cr_ends;
  bool skip_nul;

  bool done() const { return at >= end; }
  char byte() const { return data[at]; }
  void DropNul() {
    while (skip_nul && at < end && data[at] == '\0') ++at;
  }

  enum class LineEnd : uint8_t { kNo, kYes, kUnknown };

  // Is there a line end here, and how long is it? CR LF is one wherever LF alone would be.
  LineEnd AtLineEnd(size_t* size) const {
    if (data[at] == '\n') {
      *size = 1;
      return LineEnd::kYes;
    }
    if (data[at] != '\r') return LineEnd::kNo;
    if (at + 1 < end) {
      const bool lf = data[at + 1] == '\n';
      *size = lf ? 2 : 1;
      return lf || cr_ends ? LineEnd::kYes : LineEnd::kNo;
    }
    if (!at_end) return LineEnd::kUnknown;
    *size = 1;
    return cr_ends ? LineEnd::kYes : LineEnd::kNo;
  }
};

size_t RecordParser::NextLine(std::string_view bytes, size_t at, bool at_end) const {
  if (!dialect_.cr_ends) {
    const size_t lf = bytes.find('\n', at);
    return lf == bytes.npos ? bytes.npos : lf + 1;
  }
  const size_t found = bytes.find_first_of("\r\n", at);
  if (found == bytes.npos) return bytes.npos;
  if (bytes[found] == '\n') return found + 1;
  if (found + 1 == bytes.size()) return at_end ? found + 1 : bytes.npos;
  return bytes[found + 1] == '\n' ? found + 2 : found + 1;
}

void RecordParser::Parse(std::string_view bytes, size_t at, bool at_end, Record* record) const {
  record->fault = RecordFault::kNone;
  record->fault_field = 0;
  record->field_ends.clear();
  record->begin = at;
  record->end = record->next = bytes.size();
  if (at >= bytes.size()) {
    record->kind = RecordKind::kEnd;
    return;
  }
  const auto finish = [&](RecordKind kind, size_t end, size_t next) {
    record->kind = kind;
    record->end = end;
    record->next = next;
  };
  // Bytes run out or the record grows too long: the second must not depend on how many bytes happen to be here.
  const auto run_out = [&] {
    if (static_cast<int64_t>(bytes.size() - at) > dialect_.max_record_bytes) {
      const size_t next = NextLine(bytes, at, at_end);
      finish(RecordKind::kTooLong, next == bytes.npos ? bytes.size() : next,
             next == bytes.npos && !at_end ? bytes.npos : std::min(next, bytes.size()));
    } else if (at_end) {
      finish(RecordKind::kRecord, bytes.size(), bytes.size());
    } else {
      record->kind = RecordKind::kIncomplete;
    }
  };

  Cursor cursor{bytes.data(), at, bytes.size(), at_end, dialect_.cr_ends, dialect_.nul == NulRule::kDrop};
  using LineEnd = Cursor::LineEnd;
  cursor.DropNul();
  if (!cursor.done() && dialect_.comment >= 0 && cursor.byte() == static_cast<char>(dialect_.comment)) {
    const size_t next = NextLine(bytes, cursor.at, at_end);
    if (next != bytes.npos) return finish(RecordKind::kComment, next, next);
    if (at_end) return finish(RecordKind::kComment, bytes.size(), bytes.size());
    record->kind = RecordKind::kIncomplete;
    return;
  }
  size_t line_end = 0;
  if (cursor.done()) {  // NUL bytes only, which are as good as not there
    record->kind = at_end ? RecordKind::kEnd : RecordKind::kIncomplete;
    return;
  }
  switch (cursor.AtLineEnd(&line_end)) {
    case LineEnd::kYes:
      return finish(RecordKind::kBlank, cursor.at, cursor.at + line_end);
    case LineEnd::kUnknown:
      record->kind = RecordKind::kIncomplete;
      return;
    case LineEnd::kNo:
      break;
  }

  const bool quoting = dialect_.quote >= 0;
  const char quote = quoting ? static_cast<char>(dialect_.quote) : '\0';
  const bool escapes = dialect_.escapes();
  const char escape = escapes ? static_cast<char>(dialect_.escape) : '\0';
  const auto note = [&](RecordFault fault) {
    // A stray quote is forgiven by the standard rule; what is not forgiven must not hide behind it.
    const bool worse = record->fault == RecordFault::kStrayQuote && fault != RecordFault::kStrayQuote;
    if (record->fault == RecordFault::kNone || worse) {
      record->fault = fault;
      record->fault_field = record->field_ends.size();
    }
  };
  const auto too_long = [&] { return static_cast<int64_t>(cursor.at - at) > dialect_.max_record_bytes; };

  for (;;) {  // one field a turn
    cursor.DropNul();
    bool closed = false;
    if (quoting && !cursor.done() && cursor.byte() == quote) {
      ++cursor.at;
      for (;;) {
        if (cursor.done()) {
          if (too_long() || !at_end) return run_out();
          note(RecordFault::kOpenQuote);
          break;
        }
        const char c = cursor.byte();
        if (escapes && c == escape) {
          cursor.at = std::min(cursor.at + 2, cursor.end);
          continue;
        }
        ++cursor.at;
        if (c != quote) {
          // Nothing between here and the next quote (or escape) matters.
          if (escapes) continue;
          const void* found = std::memchr(cursor.data + cursor.at, quote, cursor.end - cursor.at);
          cursor.at = found ? static_cast<size_t>(static_cast<const char*>(found) - cursor.data) : cursor.end;
          continue;
        }
        cursor.DropNul();
        if (cursor.done() && !at_end) return run_out();
        if (!escapes && !cursor.done() && cursor.byte() == quote) {
          ++cursor.at;
          continue;
        }
        closed = true;
        break;
      }
    }
    for (;;) {  // the rest of the field is outside quotes
      if (cursor.done()) {
        if (too_long() || !at_end) return run_out();
        record->field_ends.push_back(static_cast<uint32_t>(cursor.end));
        return finish(RecordKind::kRecord, cursor.end, cursor.end);
      }
      const char c = cursor.byte();
      if (c == dialect_.delimiter) break;
      if (c == '\n' || c == '\r') {
        const LineEnd kind = cursor.AtLineEnd(&line_end);
        if (kind != LineEnd::kNo && too_long()) return run_out();
        if (kind == LineEnd::kUnknown) {
          record->kind = RecordKind::kIncomplete;
          return;
        }
        if (kind == LineEnd::kYes) {
          record->field_ends.push_back(static_cast<uint32_t>(cursor.at));
          return finish(RecordKind::kRecord, cursor.at, cursor.at + line_end);
        }
      }
      if (closed) note(RecordFault::kTextAfterQuote);
      if (quoting && c == quote) note(RecordFault::kStrayQuote);
      if (escapes && c == escape) ++cursor.at;
      cursor.at = std::min(cursor.at + 1, cursor.end);
      if (closed) cursor.DropNul();
    }
    record->field_ends.push_back(static_cast<uint32_t>(cursor.at));
    ++cursor.at;
  }
}

bool IsQuoted(const Dialect& dialect, std::string_view field) {
  if (dialect.quote < 0) return false;
  if (dialect.nul == NulRule::kDrop) {
    field.remove_prefix(std::min(field.find_first_not_of('\0'), field.size()));
  }
  return !field.empty() && field.front() == static_cast<char>(dialect.quote);
}

void DecodeField(const Dialect& dialect, std::string_view field, std::string* out) {
  std::string without_nul;
  if (dialect.nul == NulRule::kDrop && field.find('\0') != field.npos) {
    std::ranges::copy_if(field, std::back_inserter(without_nul), [](char c) { return c != '\0'; });
    field = without_nul;
  }
  const bool escapes = dialect.escapes();
  std::string text;
  size_t i = 0;
  if (IsQuoted(dialect, field)) {
    const char quote = static_cast<char>(dialect.quote);
    for (i = 1; i < field.size(); ++i) {
      if (escapes && field[i] == static_cast<char>(dialect.escape)) {
        if (++i < field.size()) text += field[i];
        continue;
      }
      if (field[i] != quote) {
        text += field[i];
        continue;
      }
      if (!escapes && i + 1 < field.size() && field[i + 1] == quote) {
        text += quote;
        ++i;
        continue;
      }
      ++i;
      break;
    }
  }
  // What stands outside quotes.
  for (; i < field.size(); ++i) {
    if (escapes && field[i] == static_cast<char>(dialect.escape) && ++i == field.size()) break;
    text += field[i];
  }
  AppendUtf8(dialect.encoding, text, out);
}

}  // namespace mutirao::formats::csv
