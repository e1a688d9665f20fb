#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace mutirao::formats::csv {

/// How the bytes of a file stand for characters.
enum class Encoding : uint8_t { kUtf8, kLatin1, kWindows1252, kLatin9, kUtf16, kUtf16Le, kUtf16Be };

/// The name as specs and messages write it: "latin-1".
std::string_view EncodingName(Encoding encoding);

/// Find an encoding by name or usual alias, whatever the case ("ISO-8859-1", "cp1252", "utf8").
std::optional<Encoding> FindEncoding(std::string_view name);

/// All names, for messages.
std::vector<std::string> EncodingNames();

inline bool IsUtf16(Encoding encoding) {
  return encoding >= Encoding::kUtf16;
}

/// Say whether bytes are valid in the encoding. UTF-16 has been made UTF-8 (with marks for what was wrong) before.
bool IsValidText(Encoding encoding, std::string_view bytes);

/// A character as UTF-8. A byte that is no character by itself has no size.
struct TextCharacter {
  char bytes[3] = {};
  uint8_t size = 0;
};

/// What each byte stands for, one by one; UTF-8 and what was made UTF-8 stand for themselves.
const std::array<TextCharacter, 256>& CharactersOf(Encoding encoding);

/// The character of a byte ≥ 0x80 in one of the one-byte encodings, as UTF-8; empty for a byte without one.
std::string_view HighCharacter(Encoding encoding, uint8_t byte);

/// Append text as UTF-8. REQUIRES: valid in the encoding.
void AppendUtf8(Encoding encoding, std::string_view bytes, std::string* out);

}  // namespace mutirao::formats::csv
