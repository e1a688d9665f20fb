#include <utf8proc.h>

#include <array>

#include <arrow/api.h>

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

// Calls `each` with every character; bytes that are no UTF-8 are copied.
template <typename F>
void ForEachCharacter(std::string_view text, std::string* out, F&& each) {
  size_t at = 0;
  while (at < text.size()) {
    utf8proc_int32_t character;
    auto bytes = utf8proc_iterate(reinterpret_cast<const utf8proc_uint8_t*>(text.data() + at),
                                  static_cast<utf8proc_ssize_t>(text.size() - at), &character);
    if (bytes <= 0) {
      out->push_back(text[at++]);
      continue;
    }
    each(character, text.substr(at, static_cast<size_t>(bytes)));
    at += static_cast<size_t>(bytes);
  }
}

template <bool upper>
char SwitchAscii(char c) {
  constexpr char kFirst = upper ? 'a' : 'A';
  return static_cast<char>(c ^ (static_cast<unsigned char>(c - kFirst) < 26 ? 0x20 : 0));
}

template <bool upper>
Result<ArrayPtr> SwitchCase(const std::vector<ArrayPtr>& args, int64_t rows) {
  auto nulls = MUTIRAO_TRY(CombineNulls(args, rows));
  Texts texts(*args[0]);
  auto builder = MUTIRAO_TRY(TextBuilder::Make(rows, TotalBytes(*args[0], rows)));
  std::string switched;
  for (int64_t row = 0; row < rows; ++row) {
    std::string_view text = nulls.is_null(row) ? std::string_view() : texts[row];
    if (IsAscii(text)) {
      char* out = builder.Reserve(text.size());
      if (out == nullptr) break;
      for (size_t i = 0; i < text.size(); ++i) out[i] = SwitchAscii<upper>(text[i]);
      builder.Commit(text.size());
      continue;
    }
    switched.clear();
    ForEachCharacter(text, &switched, [&](utf8proc_int32_t character, std::string_view) {
      AppendCharacter(upper ? utf8proc_toupper(character) : utf8proc_tolower(character), &switched);
    });
    builder.Append(switched);
  }
  return builder.Finish(arrow::utf8(), std::move(nulls));
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
  auto nulls = MUTIRAO_TRY(CombineNulls(args, rows));
  Texts texts(*args[0]);
  auto builder = MUTIRAO_TRY(TextBuilder::Make(rows, TotalBytes(*args[0], rows)));
  std::string plain;
  for (int64_t row = 0; row < rows; ++row) {
    std::string_view text = nulls.is_null(row) ? std::string_view() : texts[row];
    if (IsAscii(text)) {
      builder.Append(text);
      continue;
    }
    plain.clear();
    ForEachCharacter(text, &plain, [&](utf8proc_int32_t character, std::string_view bytes) {
      AppendPlain(character, bytes, &plain);
    });
    builder.Append(plain);
  }
  return builder.Finish(arrow::utf8(), std::move(nulls));
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
