#pragma once

#include <cstdint>
#include <cstring>
#include <string_view>

namespace mutirao::frame {

// Walking over UTF-8. Texts of a plan are valid UTF-8; a cut character at the end is one character.

/// Bytes of the character that begins at byte `at`. REQUIRES: at < text.size().
inline size_t CharacterBytes(std::string_view text, size_t at) {
  unsigned char c = static_cast<unsigned char>(text[at]);
  size_t bytes = c < 0xC0 ? 1 : c < 0xE0 ? 2 : c < 0xF0 ? 3 : 4;
  return bytes < text.size() - at ? bytes : text.size() - at;
}

inline bool BeginsCharacter(char c) {
  return (static_cast<unsigned char>(c) & 0xC0) != 0x80;
}

inline int64_t CountCharacters(std::string_view text) {
  int64_t count = 0;
  for (char c : text) count += BeginsCharacter(c);
  return count;
}

inline bool IsAscii(std::string_view text) {
  const char* at = text.data();
  size_t left = text.size();
  for (; left >= 8; left -= 8, at += 8) {
    uint64_t word;
    std::memcpy(&word, at, 8);
    if (word & 0x8080808080808080ULL) return false;
  }
  for (; left > 0; --left, ++at) {
    if (*at & 0x80) return false;
  }
  return true;
}

/// Give the byte where the character of number `index` (from 0) begins, at most text.size().
inline size_t ByteOfCharacter(std::string_view text, int64_t index) {
  size_t at = 0;
  while (index > 0 && at < text.size()) {
    at += CharacterBytes(text, at);
    --index;
  }
  return at;
}

/// Find a needle by its first byte and then by comparing; npos when it is not there. An empty needle is at 0.
inline size_t FindText(std::string_view text, std::string_view needle, size_t from = 0) {
  if (needle.empty()) return from;
  while (from + needle.size() <= text.size()) {
    const void* hit = std::memchr(text.data() + from, needle[0], text.size() - needle.size() + 1 - from);
    if (hit == nullptr) break;
    size_t at = static_cast<size_t>(static_cast<const char*>(hit) - text.data());
    if (std::memcmp(text.data() + at, needle.data(), needle.size()) == 0) return at;
    from = at + 1;
  }
  return std::string_view::npos;
}

}  // namespace mutirao::frame
