#include <utf8proc.h>

#include <array>
#include <cstring>

#include <arrow/api.h>

#include "base/utf8.h"
#include "columnar/arrow_status.h"
#include "frame/functions/families.h"
#include "frame/functions/text_map.h"
#include "frame/functions/text_scan.h"

namespace mutirao::frame {
namespace {

void AppendCharacter(utf8proc_int32_t character, std::string* out) {
  utf8proc_uint8_t bytes[4];
  auto length = utf8proc_encode_char(character, bytes);
  out->append(reinterpret_cast<const char*>(bytes), static_cast<size_t>(length));
}

// What a character, given also as its bytes, becomes: appends to the text.
using AppendOne = void (*)(utf8proc_int32_t character, std::string_view bytes, std::string* out);

// What the characters of one and two bytes become, among them the accented letters of Latin, Greek and Cyrillic: looked
// up instead of computed. No entry has more than kMost bytes.
class ShortCharacters {
 public:
  static constexpr size_t kMost = 4;
  struct Entry {
    char bytes[kMost] = {};
    uint8_t size = 0;
  };

  explicit ShortCharacters(AppendOne append) {
    std::string text;
    for (utf8proc_int32_t character = 0; character < 0x800; ++character) {
      utf8proc_uint8_t bytes[4];
      auto length = static_cast<size_t>(utf8proc_encode_char(character, bytes));
      text.clear();
      append(character, {reinterpret_cast<const char*>(bytes), length}, &text);
      MUTIRAO_CHECK(text.size() <= kMost);
      Entry& entry = entries_[static_cast<size_t>(character)];
      entry.size = static_cast<uint8_t>(text.size());
      std::memcpy(entry.bytes, text.data(), text.size());
    }
  }
  const Entry& operator[](size_t character) const { return entries_[character]; }

 private:
  std::array<Entry, 0x800> entries_;
};

// Replaces every character of a text; bytes that are no UTF-8 are copied.
class CharacterReplacer {
 public:
  explicit CharacterReplacer(AppendOne append) : append_(append), short_(append) {}

  /// The text lies in `room`, which is reused.
  std::string_view Replace(std::string_view text, std::string* room) const {
    // A byte of a short character becomes kMost bytes at most, so does one of a long character, which has three or
    // more.
    if (room->size() < text.size() * ShortCharacters::kMost) room->resize(text.size() * ShortCharacters::kMost);
    char* out = room->data();
    std::string other;
    size_t at = 0;
    while (at < text.size()) {
      const auto first = static_cast<uint8_t>(text[at]);
      if (first < 0x80) {
        out = Put(short_[first], out);
        ++at;
        continue;
      }
      if (first >= 0xC2 && first < 0xE0 && at + 1 < text.size() && IsContinuationByte(text[at + 1])) {
        out = Put(short_[(first & 0x1Fu) << 6 | (static_cast<uint8_t>(text[at + 1]) & 0x3Fu)], out);
        at += 2;
        continue;
      }
      other.clear();
      at += ReplaceLong(text.substr(at), &other);
      std::memcpy(out, other.data(), other.size());
      out += other.size();
    }
    return {room->data(), static_cast<size_t>(out - room->data())};
  }

 private:
  static char* Put(const ShortCharacters::Entry& entry, char* out) {
    std::memcpy(out, entry.bytes, ShortCharacters::kMost);
    return out + entry.size;
  }

  size_t ReplaceLong(std::string_view text, std::string* out) const {
    utf8proc_int32_t character;
    auto bytes = utf8proc_iterate(reinterpret_cast<const utf8proc_uint8_t*>(text.data()),
                                  static_cast<utf8proc_ssize_t>(text.size()), &character);
    if (bytes <= 0) {
      out->push_back(text[0]);
      return 1;
    }
    append_(character, text.substr(0, static_cast<size_t>(bytes)), out);
    return static_cast<size_t>(bytes);
  }

  AppendOne append_;
  ShortCharacters short_;
};

// Replaces the characters of all texts but those that `ascii` writes: (text, out), as many bytes as it is given.
template <typename Ascii>
Result<ArrayPtr> ReplaceAll(const std::vector<ArrayPtr>& args, int64_t rows, const CharacterReplacer& replacer,
                            Ascii&& ascii) {
  auto nulls = MUTIRAO_TRY(CombineNulls(args, rows));
  Texts texts(*args[0]);
  auto builder = MUTIRAO_TRY(TextBuilder::Make(rows, TotalBytes(*args[0], rows)));
  std::string room;
  for (int64_t row = 0; row < rows; ++row) {
    std::string_view text = nulls.is_null(row) ? std::string_view() : texts[row];
    if (!IsAscii(text)) {
      builder.Append(replacer.Replace(text, &room));
      continue;
    }
    char* out = builder.Reserve(text.size());
    if (out == nullptr) break;
    ascii(text, out);
    builder.Commit(text.size());
  }
  return builder.Finish(arrow::utf8(), std::move(nulls));
}

template <bool upper>
char SwitchAscii(char c) {
  constexpr char kFirst = upper ? 'a' : 'A';
  return static_cast<char>(c ^ (static_cast<unsigned char>(c - kFirst) < 26 ? 0x20 : 0));
}

template <bool upper>
void AppendSwitched(utf8proc_int32_t character, std::string_view, std::string* out) {
  AppendCharacter(upper ? utf8proc_toupper(character) : utf8proc_tolower(character), out);
}

template <bool upper>
Result<ArrayPtr> SwitchCase(const std::vector<ArrayPtr>& args, int64_t rows) {
  static const CharacterReplacer replacer(AppendSwitched<upper>);
  return ReplaceAll(args, rows, replacer, [](std::string_view text, char* out) {
    for (size_t i = 0; i < text.size(); ++i) out[i] = SwitchAscii<upper>(text[i]);
  });
}

// Latin letters that Unicode does not take apart into a letter and a mark.
std::string_view PlainLetter(utf8proc_int32_t character) {
  switch (character) {
    case 0x00D8:
      return "O";
    case 0x00F8:
      return "o";
    case 0x00C6:
      return "AE";
    case 0x00E6:
      return "ae";
    case 0x00DF:
      return "ss";
    case 0x1E9E:
      return "SS";
    case 0x00D0:
    case 0x0110:
      return "D";
    case 0x00F0:
    case 0x0111:
      return "d";
    case 0x00DE:
      return "TH";
    case 0x00FE:
      return "th";
    case 0x0126:
      return "H";
    case 0x0127:
      return "h";
    case 0x0131:
      return "i";
    case 0x0141:
      return "L";
    case 0x0142:
      return "l";
    case 0x0152:
      return "OE";
    case 0x0153:
      return "oe";
    default:
      return {};
  }
}

void AppendPlain(utf8proc_int32_t character, std::string_view bytes, std::string* out) {
  if (character < 0x80) return out->append(bytes), void();
  if (std::string_view plain = PlainLetter(character); !plain.empty()) return out->append(plain), void();
  if (utf8proc_category(character) == UTF8PROC_CATEGORY_MN) return;
  utf8proc_int32_t parts[8];
  int last_class = 0;
  auto count = utf8proc_decompose_char(character, parts, 8, UTF8PROC_DECOMPOSE, &last_class);
  if (count <= 1 || count > 8) return out->append(bytes), void();
  // Scripts whose letters are made of other letters (Hangul) stay whole: only marks may go.
  for (int i = 1; i < count; ++i) {
    if (utf8proc_category(parts[i]) != UTF8PROC_CATEGORY_MN) return out->append(bytes), void();
  }
  AppendCharacter(parts[0], out);
}

Result<ArrayPtr> Unaccent(const std::vector<ArrayPtr>& args, int64_t rows) {
  static const CharacterReplacer replacer(AppendPlain);
  return ReplaceAll(args, rows, replacer, [](std::string_view text, char* out) {
    if (!text.empty()) std::memcpy(out, text.data(), text.size());
  });
}

}  // namespace

void AddTextCases(std::vector<FunctionDef>* functions) {
  auto takes = Takes({arrow::utf8()}, arrow::utf8());
  functions->push_back({.name = "upper",
                        .signatures = {"upper(text string) → string"},
                        .summary = "Write all letters as capitals, letter by letter.",
                        .examples = {{"upper('são')", "'SÃO'"}},
                        .resolve = takes,
                        .make_kernel = [](const CallSite&) { return Result<Kernel>(Kernel(SwitchCase<true>)); }});
  functions->push_back({.name = "lower",
                        .signatures = {"lower(text string) → string"},
                        .summary = "Write all letters small, letter by letter.",
                        .examples = {{"lower('SÃO')", "'são'"}},
                        .resolve = takes,
                        .make_kernel = [](const CallSite&) { return Result<Kernel>(Kernel(SwitchCase<false>)); }});
  functions->push_back({.name = "unaccent",
                        .signatures = {"unaccent(text string) → string"},
                        .summary = "Remove accents and write special Latin letters plainly (ø as o, ß as ss).",
                        .examples = {{"unaccent('São João')", "'Sao Joao'"}},
                        .resolve = takes,
                        .make_kernel = [](const CallSite&) { return Result<Kernel>(Kernel(Unaccent)); }});
}

}  // namespace mutirao::frame
