#include "formats/csv/chunk.h"

#include <algorithm>

namespace mutirao::formats::csv {
namespace {

// Is the line end at `at` between two quoted fields? `next` is the place behind it.
bool BetweenQuotes(std::string_view bytes, size_t at, size_t next, int quote) {
  if (quote < 0 || at == 0 || next >= bytes.size()) return false;
  const char q = static_cast<char>(quote);
  if (bytes[at] == '\n' && bytes[at - 1] == '\r' && at >= 2) --at;
  return bytes[at - 1] == q && bytes[next] == q;
}

}  // namespace

size_t GuessRecordStart(std::string_view bytes, int quote, bool cr_ends) {
  // Quoted fields show themselves within a few records; a file without them shall not be searched to its end.
  constexpr size_t kLook = 16 << 10;
  const char* ends = cr_ends ? "\r\n" : "\n";
  size_t first = bytes.npos;
  for (size_t at = bytes.find_first_of(ends); at != bytes.npos; at = bytes.find_first_of(ends, at + 1)) {
    if (first == bytes.npos) first = at + 1;
    if (BetweenQuotes(bytes, at, at + 1, quote)) return at + 1;
    if (at > kLook) break;
  }
  return first;
}

size_t GuessLastRecordStart(std::string_view bytes, int quote, bool cr_ends) {
  constexpr size_t kLook = 16 << 10;
  const char* ends = cr_ends ? "\r\n" : "\n";
  size_t last = bytes.npos;
  for (size_t at = bytes.find_last_of(ends); at != bytes.npos; at = bytes.find_last_of(ends, at - 1)) {
    if (last == bytes.npos) last = at + 1;
    if (BetweenQuotes(bytes, at, at + 1, quote)) return at + 1;
    if (at == 0 || bytes.size() - at > kLook) break;
  }
  return last;
}

}  // namespace mutirao::formats::csv
