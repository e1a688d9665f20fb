#pragma once

#include <cstddef>
#include <string_view>

namespace mutirao {

/// Whether a byte goes on with a UTF-8 character that an earlier byte began.
constexpr bool IsContinuationByte(char byte) {
  return (static_cast<unsigned char>(byte) & 0xC0) == 0x80;
}

/// The place behind the character that begins at `at`. Bytes that are not UTF-8 are characters of their own.
constexpr size_t CharacterEnd(std::string_view text, size_t at) {
  ++at;
  while (at < text.size() && IsContinuationByte(text[at])) ++at;
  return at;
}

}  // namespace mutirao
