#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>
#include <vector>

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

#include "formats/csv/dialect.h"
#include "formats/csv/record_parser.h"

namespace mutirao::formats::csv {

/// Copies or checks bytes that stand for themselves: no quote, escape or NUL, and nothing the encoding would change.
/// May read up to 31 bytes behind the text and write as many behind the copy.
class PlainBytes {
 public:
  explicit PlainBytes(const Dialect& dialect)
      : quote_(dialect.quote >= 0 ? static_cast<char>(dialect.quote) : '\0'),
        escape_(dialect.escape >= 0 ? static_cast<char>(dialect.escape) : '\0'),
        high_(dialect.encoding == Encoding::kUtf8 || IsUtf16(dialect.encoding) ? '\0' : '\x80') {}

  /// False when some byte is not plain. The copy is then worthless.
  bool Copy(const char* from, size_t size, char* to) const { return Scan<true>(from, size, to); }
  bool Check(const char* from, size_t size) const { return Scan<false>(from, size, nullptr); }

  /// Copies the bytes before the first that is not plain, and gives how many they are.
  size_t CopyPrefix(const char* from, size_t size, char* to) const {
#if defined(__SSE2__)
    const __m128i quote = _mm_set1_epi8(quote_);
    const __m128i escape = _mm_set1_epi8(escape_);
    const __m128i high = _mm_set1_epi8(high_);
    for (size_t at = 0; at < size; at += 16) {
      const __m128i bytes = _mm_loadu_si128(reinterpret_cast<const __m128i*>(from + at));
      _mm_storeu_si128(reinterpret_cast<__m128i*>(to + at), bytes);
      const uint32_t odd = Mask(bytes, quote, escape, high);
      if (odd != 0) return std::min(size, at + static_cast<size_t>(std::countr_zero(odd)));
    }
    return size;
#else
    size_t at = 0;
    for (; at < size && IsPlain(from[at]); ++at) to[at] = from[at];
    return at;
#endif
  }

 private:
  bool IsPlain(char c) const { return c != quote_ && c != escape_ && c != '\0' && (c & high_) == 0; }

#if defined(__SSE2__)
  template <bool copy>
  bool Scan(const char* from, size_t size, char* to) const {
    const __m128i quote = _mm_set1_epi8(quote_);
    const __m128i escape = _mm_set1_epi8(escape_);
    const __m128i high = _mm_set1_epi8(high_);
    uint32_t seen = 0;
    size_t at = 0;
    for (; at + 16 < size; at += 16) {
      const __m128i bytes = _mm_loadu_si128(reinterpret_cast<const __m128i*>(from + at));
      if constexpr (copy) _mm_storeu_si128(reinterpret_cast<__m128i*>(to + at), bytes);
      seen |= Mask(bytes, quote, escape, high);
    }
    const __m128i bytes = _mm_loadu_si128(reinterpret_cast<const __m128i*>(from + at));
    if constexpr (copy) _mm_storeu_si128(reinterpret_cast<__m128i*>(to + at), bytes);
    seen |= Mask(bytes, quote, escape, high) & ((uint32_t{1} << (size - at)) - 1);
    return seen == 0;
  }

  static uint32_t Mask(__m128i bytes, __m128i quote, __m128i escape, __m128i high) {
    const __m128i equal = _mm_or_si128(_mm_cmpeq_epi8(bytes, quote), _mm_cmpeq_epi8(bytes, escape));
    const __m128i nul = _mm_cmpeq_epi8(bytes, _mm_setzero_si128());
    return static_cast<uint32_t>(_mm_movemask_epi8(_mm_or_si128(_mm_or_si128(equal, nul), _mm_and_si128(bytes, high))));
  }
#else
  template <bool copy>
  bool Scan(const char* from, size_t size, char* to) const {
    bool plain = true;
    for (size_t i = 0; i < size; ++i) {
      const char c = from[i];
      if constexpr (copy) to[i] = c;
      plain &= IsPlain(c);
    }
    return plain;
  }
#endif

  char quote_;
  char escape_;
  char high_;
};

/// Give the value of a field as UTF-8 text, or null. Threads: any, at once, each with its own scratch text.
class FieldReader {
 public:
  explicit FieldReader(const Dialect& dialect)
      : dialect_(dialect), plain_(dialect), characters_(CharactersOf(dialect.encoding)) {
    for (const std::string& text : dialect.nulls) {
      if (text.empty()) empty_is_null_ = true;
      if (!text.empty()) null_texts_.push_back(text);
    }
  }

  /// False for null. `text` lies in the field itself where its bytes are the value, in `scratch` otherwise.
  bool Read(std::string_view field, std::string* scratch, std::string_view* text) const {
    std::string_view inner;
    const bool quoted = Strip(field, &inner);
    if (!quoted && field.empty()) return false;
    if (plain_.Check(inner.data(), inner.size())) {
      *text = inner;
    } else {
      if (!Decode(field, scratch)) return false;
      *text = *scratch;
    }
    return !IsNullText(*text);
  }

  /// Say whether a field that stands for itself, its quotes taken off, is never null when it has any byte.
  bool only_empty_is_null() const { return null_texts_.empty(); }
  bool empty_is_null() const { return empty_is_null_; }
  const Dialect& dialect() const { return dialect_; }

  /// Append the value to `out` at `size`. REQUIRES: room for three times the field and 32 bytes. False for null.
  bool Append(std::string_view field, char* out, size_t* size, std::string* scratch) const {
    std::string_view inner;
    const bool quoted = Strip(field, &inner);
    if (!quoted && field.empty()) return false;
    size_t quick = inner.size();
    if (dialect_.escapes() ? plain_.Copy(inner.data(), inner.size(), out + *size)
                           : AppendDecoded(inner, quoted, out + *size, &quick)) {
      if (IsNullText({out + *size, quick})) return false;
      *size += quick;
      return true;
    }
    if (!Decode(field, scratch) || IsNullText(*scratch)) return false;
    std::memcpy(out + *size, scratch->data(), scratch->size());
    *size += scratch->size();
    return true;
  }

 private:
  // Takes the quotes from a field that has one at both ends and says whether it did.
  bool Strip(std::string_view field, std::string_view* inner) const {
    const char quote = static_cast<char>(dialect_.quote);
    const bool quoted = dialect_.quote >= 0 && field.size() >= 2 && field.front() == quote && field.back() == quote;
    *inner = quoted ? field.substr(1, field.size() - 2) : field;
    return quoted;
  }

  // Writes a text, some of whose quotes may be doubled and whose bytes the encoding may change; false when it takes the
  // exact rules.
  bool AppendDecoded(std::string_view inner, bool quoted, char* out, size_t* size) const {
    const char* from = inner.data();
    const char* const end = from + inner.size();
    char* const begin = out;
    while (true) {
      const size_t plain = plain_.CopyPrefix(from, static_cast<size_t>(end - from), out);
      from += plain;
      out += plain;
      if (from == end) break;
      const auto c = static_cast<uint8_t>(*from);
      if (c == 0) return false;
      if (dialect_.quote >= 0 && c == static_cast<uint8_t>(dialect_.quote)) {
        if (!quoted || from + 1 == end || from[1] != *from) return false;
        ++from;
      }
      const TextCharacter& character = characters_[c];
      std::memcpy(out, character.bytes, sizeof character.bytes);
      out += character.size;
      ++from;
    }
    *size = static_cast<size_t>(out - begin);
    return true;
  }

  // False for a field that is empty and not quoted once its NUL bytes are dropped.
  bool Decode(std::string_view field, std::string* scratch) const {
    scratch->clear();
    DecodeField(dialect_, field, scratch);
    return !scratch->empty() || IsQuoted(dialect_, field);
  }

  bool IsNullText(std::string_view text) const {
    if (text.empty()) return empty_is_null_;
    for (const std::string& null : null_texts_) {
      if (null == text) return true;
    }
    return false;
  }

  Dialect dialect_;
  PlainBytes plain_;
  const std::array<TextCharacter, 256>& characters_;
  bool empty_is_null_ = false;
  std::vector<std::string> null_texts_;
};

}  // namespace mutirao::formats::csv
