#include "formats/csv/record_cut.h"

#include <algorithm>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "formats/csv/record_parser.h"

namespace mutirao::formats::csv {
namespace {

constexpr int64_t kFirstLook = int64_t{64} << 10;
// Longer records are not waited for.
constexpr int64_t kFarthest = int64_t{32} << 20;
// Room before the bytes for what brings the parser into a state.
constexpr size_t kRoom = 8;

// A byte that means nothing to a dialect.
char PlainByte(const Dialect& dialect) {
  for (const char c : std::string_view("xyzvw")) {
    if (c != dialect.delimiter && c != dialect.quote && c != dialect.escape && c != dialect.comment) return c;
  }
  return '0';
}

// What brings the parser from the begin of a record into each state that it can be in between two bytes of one, in as
// few bytes as can: a record that is too long with these is too long with any.
std::vector<std::string> Beginnings(const Dialect& dialect) {
  std::vector<std::string> beginnings = {"", std::string(1, PlainByte(dialect)), std::string(1, dialect.delimiter)};
  std::string quote;
  if (dialect.quote >= 0) {
    quote = static_cast<char>(dialect.quote);
    beginnings.push_back(quote);
    beginnings.push_back(quote + quote);
  }
  if (dialect.escapes()) {
    const std::string escape(1, static_cast<char>(dialect.escape));
    beginnings.push_back(escape);
    if (!quote.empty()) beginnings.push_back(quote + escape);
  }
  return beginnings;
}

// Bytes behind a place of a file, and what they say.
class Stretch {
 public:
  Stretch(const Dialect& dialect, int64_t length) : dialect_(dialect), parser_(dialect) {
    room_and_bytes_.resize(kRoom + static_cast<size_t>(length));
  }

  std::span<std::byte> bytes() { return std::as_writable_bytes(std::span(room_and_bytes_)).subspan(kRoom); }
  void EndsFile(size_t length) {
    room_and_bytes_.resize(kRoom + length);
    at_end_ = true;
  }

  // Where the courses from all states meet.
  std::optional<size_t> Meet() {
    std::vector<size_t> places;
    // A comment ends with its line, and so does a record that is found to be too long, whatever else stands there.
    places.push_back(parser_.NextLine(view(), 0, at_end_));
    if (places[0] == std::string::npos) {
      if (!at_end_) return std::nullopt;
      places[0] = view().size();
    }
    for (const std::string& beginning : Beginnings(dialect_)) {
      if (!AddFirstEnd(beginning, places)) return std::nullopt;
    }
    for (;;) {
      const auto [first, last] = std::ranges::minmax_element(places);
      if (*first == *last && IsFit(*first)) return *first;
      const std::optional<size_t> next = EndOf(*first);
      if (!next) return std::nullopt;
      // Those that have met go on together.
      const size_t from = *first;
      std::ranges::replace(places, from, *next);
    }
  }

 private:
  std::string_view view() const { return std::string_view(room_and_bytes_).substr(kRoom); }

  // The end of the record that a beginning and the bytes make. False when it lies beyond them.
  bool AddFirstEnd(const std::string& beginning, std::vector<size_t>& places) {
    std::ranges::copy(beginning, room_and_bytes_.begin() + static_cast<ptrdiff_t>(kRoom - beginning.size()));
    const std::string_view all = std::string_view(room_and_bytes_).substr(kRoom - beginning.size());
    parser_.Parse(all, 0, at_end_, &record_);
    // The bytes that show that a record is too long must not be cut from its begin, which may lie before them.
    if (record_.kind == RecordKind::kTooLong || record_.kind == RecordKind::kIncomplete) return false;
    places.push_back(std::max(record_.next, beginning.size()) - beginning.size());
    return true;
  }

  std::optional<size_t> EndOf(size_t begin) {
    if (begin >= view().size()) return std::nullopt;
    parser_.Parse(view(), begin, at_end_, &record_);
    if (record_.kind == RecordKind::kIncomplete || record_.kind == RecordKind::kTooLong) return std::nullopt;
    return record_.next;
  }

  // A CR at the end of a piece may be half of a CR LF for whoever reads the piece alone.
  bool IsFit(size_t place) const { return !dialect_.cr_ends || (place > 0 && view()[place - 1] == '\n'); }

  const Dialect& dialect_;
  const RecordParser parser_;
  std::string room_and_bytes_;
  bool at_end_ = false;
  Record record_;
};

}  // namespace

Result<std::optional<int64_t>> RecordBeginBehind(const storage::Object& file, int64_t at, const Dialect& dialect) {
  const int64_t most = std::min(kFarthest, dialect.max_record_bytes + kFirstLook);
  for (int64_t length = std::min(kFirstLook, most);; length = std::min(8 * length, most)) {
    Stretch stretch(dialect, length);
    const int64_t read = MUTIRAO_TRY(file.ReadAt(at, stretch.bytes()));
    if (at + read >= file.size()) stretch.EndsFile(static_cast<size_t>(read));
    if (const std::optional<size_t> place = stretch.Meet()) {
      const int64_t found = at + static_cast<int64_t>(*place);
      return found < file.size() ? std::optional<int64_t>(found) : std::optional<int64_t>();
    }
    if (length == most || at + read >= file.size()) return std::optional<int64_t>();
  }
}

}  // namespace mutirao::formats::csv
