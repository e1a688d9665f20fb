#include "formats/csv/encoding.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <utility>

namespace mutirao::formats::csv {
namespace {

struct EncodingAlias {
  std::string_view name;
  Encoding encoding;
};

constexpr EncodingAlias kAliases[] = {
    {"utf-8", Encoding::kUtf8},         {"utf8", Encoding::kUtf8},           {"ascii", Encoding::kUtf8},
    {"us-ascii", Encoding::kUtf8},      {"utf-8-sig", Encoding::kUtf8},      {"latin-1", Encoding::kLatin1},
    {"latin1", Encoding::kLatin1},      {"iso-8859-1", Encoding::kLatin1},   {"iso8859-1", Encoding::kLatin1},
    {"iso_8859-1", Encoding::kLatin1},  {"l1", Encoding::kLatin1},           {"windows-1252", Encoding::kWindows1252},
    {"cp1252", Encoding::kWindows1252}, {"win1252", Encoding::kWindows1252}, {"latin-9", Encoding::kLatin9},
    {"latin9", Encoding::kLatin9},      {"iso-8859-15", Encoding::kLatin9},  {"iso8859-15", Encoding::kLatin9},
    {"iso_8859-15", Encoding::kLatin9}, {"utf-16", Encoding::kUtf16},        {"utf16", Encoding::kUtf16},
    {"utf-16le", Encoding::kUtf16Le},   {"utf-16-le", Encoding::kUtf16Le},   {"utf16le", Encoding::kUtf16Le},
    {"utf-16be", Encoding::kUtf16Be},   {"utf-16-be", Encoding::kUtf16Be},   {"utf16be", Encoding::kUtf16Be},
};

// The characters of 0x80–0x9F in Windows-1252 (WHATWG index, its five unassigned bytes as 0).
constexpr uint16_t kWindows1252[32] = {0x20AC, 0,      0x201A, 0x0192, 0x201E, 0x2026, 0x2020, 0x2021,
                                       0x02C6, 0x2030, 0x0160, 0x2039, 0x0152, 0,      0x017D, 0,
                                       0,      0x2018, 0x2019, 0x201C, 0x201D, 0x2022, 0x2013, 0x2014,
                                       0x02DC, 0x2122, 0x0161, 0x203A, 0x0153, 0,      0x017E, 0x0178};
// Where ISO 8859-15 differs from 8859-1.
constexpr std::pair<uint8_t, uint16_t> kLatin9[] = {{0xA4, 0x20AC}, {0xA6, 0x0160}, {0xA8, 0x0161}, {0xB4, 0x017D},
                                                    {0xB8, 0x017E}, {0xBC, 0x0152}, {0xBD, 0x0153}, {0xBE, 0x0178}};

using CharacterTable = std::array<TextCharacter, 256>;

// What a byte from 0x80 on stands for; 0 for nothing.
uint16_t CodeOf(Encoding encoding, uint8_t byte) {
  if (encoding == Encoding::kWindows1252 && byte < 0xA0) return kWindows1252[byte - 0x80];
  if (encoding == Encoding::kLatin9) {
    for (const auto& [from, to] : kLatin9) {
      if (from == byte) return to;
    }
  }
  return byte;
}

CharacterTable MakeTable(Encoding encoding) {
  CharacterTable table;
  for (size_t byte = 0; byte < table.size(); ++byte) {
    table[byte] = {{static_cast<char>(byte)}, 1};
    if (byte < 0x80 || encoding == Encoding::kUtf8) continue;
    const uint16_t code = CodeOf(encoding, static_cast<uint8_t>(byte));
    if (code == 0) {
      table[byte] = {};
    } else if (code < 0x800) {
      table[byte] = {{static_cast<char>(0xC0 | code >> 6), static_cast<char>(0x80 | (code & 0x3F))}, 2};
    } else {
      table[byte] = {{static_cast<char>(0xE0 | code >> 12), static_cast<char>(0x80 | (code >> 6 & 0x3F)),
                      static_cast<char>(0x80 | (code & 0x3F))},
                     3};
    }
  }
  return table;
}

// RFC 3629: no overlong forms, no surrogates, nothing above U+10FFFF.
bool IsValidUtf8(std::string_view text) {
  const auto* p = reinterpret_cast<const uint8_t*>(text.data());
  const auto* end = p + text.size();
  while (p < end) {
    uint64_t word;
    if (end - p >= 8 && (std::memcpy(&word, p, 8), (word & 0x8080808080808080u) == 0)) {
      p += 8;
      continue;
    }
    const uint8_t c = *p;
    if (c < 0x80) {
      ++p;
      continue;
    }
    const int extra = c >= 0xF0 ? 3 : c >= 0xE0 ? 2 : 1;
    if (c < 0xC2 || c > 0xF4 || end - p <= extra) return false;
    if (c == 0xE0 && p[1] < 0xA0) return false;
    if (c == 0xED && p[1] > 0x9F) return false;
    if (c == 0xF0 && p[1] < 0x90) return false;
    if (c == 0xF4 && p[1] > 0x8F) return false;
    for (int i = 1; i <= extra; ++i) {
      if ((p[i] & 0xC0) != 0x80) return false;
    }
    p += extra + 1;
  }
  return true;
}

}  // namespace

std::string_view EncodingName(Encoding encoding) {
  switch (encoding) {
    case Encoding::kUtf8:
      return "utf-8";
    case Encoding::kLatin1:
      return "latin-1";
    case Encoding::kWindows1252:
      return "windows-1252";
    case Encoding::kLatin9:
      return "latin-9";
    case Encoding::kUtf16:
      return "utf-16";
    case Encoding::kUtf16Le:
      return "utf-16le";
    case Encoding::kUtf16Be:
      return "utf-16be";
  }
  return "utf-8";
}

std::optional<Encoding> FindEncoding(std::string_view name) {
  std::string lower(name);
  std::ranges::transform(lower, lower.begin(),
                         [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
  for (const EncodingAlias& alias : kAliases) {
    if (alias.name == lower) return alias.encoding;
  }
  return std::nullopt;
}

std::vector<std::string> EncodingNames() {
  return {"utf-8", "latin-1", "windows-1252", "latin-9", "utf-16", "utf-16le", "utf-16be"};
}

bool IsValidText(Encoding encoding, std::string_view bytes) {
  if (encoding == Encoding::kLatin1 || encoding == Encoding::kLatin9) return true;
  if (encoding == Encoding::kWindows1252) {
    return std::ranges::none_of(bytes, [](char c) {
      const auto byte = static_cast<uint8_t>(c);
      return byte >= 0x80 && byte < 0xA0 && kWindows1252[byte - 0x80] == 0;
    });
  }
  return IsValidUtf8(bytes);
}

const CharacterTable& CharactersOf(Encoding encoding) {
  static const CharacterTable utf8 = MakeTable(Encoding::kUtf8);
  static const CharacterTable latin1 = MakeTable(Encoding::kLatin1);
  static const CharacterTable windows = MakeTable(Encoding::kWindows1252);
  static const CharacterTable latin9 = MakeTable(Encoding::kLatin9);
  switch (encoding) {
    case Encoding::kLatin1:
      return latin1;
    case Encoding::kWindows1252:
      return windows;
    case Encoding::kLatin9:
      return latin9;
    default:
      return utf8;
  }
}

std::string_view HighCharacter(Encoding encoding, uint8_t byte) {
  const TextCharacter& character = CharactersOf(encoding)[byte];
  return {character.bytes, character.size};
}

void AppendUtf8(Encoding encoding, std::string_view bytes, std::string* out) {
  if (encoding == Encoding::kUtf8 || IsUtf16(encoding)) {
    out->append(bytes);
    return;
  }
  for (const char c : bytes) {
    if (static_cast<uint8_t>(c) < 0x80) {
      out->push_back(c);
    } else {
      out->append(HighCharacter(encoding, static_cast<uint8_t>(c)));
    }
  }
}

}  // namespace mutirao::formats::csv
