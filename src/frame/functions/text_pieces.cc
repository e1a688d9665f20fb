#include <algorithm>

#include <arrow/api.h>

#include "columnar/arrow_status.h"
#include "frame/expr/operators.h"
#include "frame/functions/families.h"
#include "frame/functions/text_map.h"
#include "frame/functions/text_scan.h"

namespace mutirao::frame {
namespace {

// Characters from 1; a negative start counts from the end, a negative length goes backwards from the start.
std::string_view Substring(std::string_view text, int64_t start, bool has_length, int64_t length) {
  bool ascii = IsAscii(text);
  int64_t count = ascii ? static_cast<int64_t>(text.size()) : CountCharacters(text);
  int64_t begin = start > 0 ? start - 1 : start == 0 ? -1 : start < -count && !has_length ? 0 : count + start;
  int64_t end = count;
  if (has_length && __builtin_add_overflow(begin, length, &end)) end = length < 0 ? 0 : count;
  if (end < begin) std::swap(begin, end);
  if (!has_length) end = count;
  begin = std::clamp<int64_t>(begin, 0, count);
  end = std::clamp<int64_t>(end, begin, count);
  if (ascii) return text.substr(static_cast<size_t>(begin), static_cast<size_t>(end - begin));
  size_t from = ByteOfCharacter(text, begin);
  std::string_view rest = text.substr(from);
  return rest.substr(0, ByteOfCharacter(rest, end - begin));
}

Result<Kernel> MakeSubstr(const CallSite& site) {
  bool has_length = site.arg_types.size() == 3;
  return Kernel([has_length](const std::vector<ArrayPtr>& args, int64_t rows) {
    Values<int64_t> starts(*args[1]), lengths(*args[has_length ? 2 : 1]);
    return CutTexts(args, rows, [&](int64_t row, std::string_view text) {
      return Substring(text, starts[row], has_length, lengths[row]);
    });
  });
}

// The piece of number `index` (from 1, negative from the end); empty when there is none. An empty separator cuts
// between all characters.
std::string_view Piece(std::string_view text, std::string_view separator, int64_t index) {
  if (index == 0) return text.substr(0, 0);
  if (separator.empty()) {
    int64_t count = CountCharacters(text);
    if (index < 0) index += count + 1;
    return index < 1 || index > count ? text.substr(0, 0) : Substring(text, index, true, 1);
  }
  if (index < 0) {
    int64_t pieces = 1;
    for (size_t at = FindText(text, separator); at != std::string_view::npos;
         at = FindText(text, separator, at + separator.size()))
      ++pieces;
    index += pieces + 1;
    if (index < 1) return text.substr(0, 0);
  }
  size_t begin = 0;
  for (;; --index) {
    size_t end = FindText(text, separator, begin);
    if (index == 1) return text.substr(begin, end == std::string_view::npos ? end : end - begin);
    if (end == std::string_view::npos) return text.substr(0, 0);
    begin = end + separator.size();
  }
}

Result<Kernel> MakeSplitPart(const CallSite&) {
  return Kernel([](const std::vector<ArrayPtr>& args, int64_t rows) {
    Texts separators(*args[1]);
    Values<int64_t> indexes(*args[2]);
    return CutTexts(args, rows,
                    [&](int64_t row, std::string_view text) { return Piece(text, separators[row], indexes[row]); });
  });
}

template <bool left>
Result<Kernel> MakePad(const CallSite& site) {
  bool has_pad = site.arg_types.size() == 3;
  return Kernel([has_pad](const std::vector<ArrayPtr>& args, int64_t rows) -> Result<ArrayPtr> {
    constexpr int64_t kWidest = 1 << 20;
    auto nulls = MUTIRAO_TRY(CombineNulls(args, rows));
    auto null_rows = nulls;
    Texts texts(*args[0]);
    Values<int64_t> widths(*args[1]);
    std::optional<Texts> pads;
    if (has_pad) pads.emplace(*args[2]);
    for (int64_t row = 0; row < rows; ++row) {
      if (null_rows.is_null(row)) continue;
      if (widths[row] > kWidest) return RowError(row, "a text can be padded to at most 1048576 characters");
      bool cannot = has_pad && (*pads)[row].empty() && CountCharacters(texts[row]) < widths[row];
      if (cannot) return RowError(row, "a text cannot be padded with nothing");
    }
    return BuildTexts(rows, std::move(nulls), TotalBytes(*args[0], rows), [&](int64_t row, std::string* out) {
      int64_t width = std::max<int64_t>(widths[row], 0);
      std::string_view text = texts[row];
      int64_t count = CountCharacters(text);
      if (count >= width) {
        out->append(text.substr(0, ByteOfCharacter(text, width)));
        return;
      }
      std::string_view pad = has_pad ? (*pads)[row] : std::string_view(" ");
      if (!left) out->append(text);
      size_t at = 0;
      for (int64_t i = count; i < width; ++i) {
        size_t bytes = CharacterBytes(pad, at);
        out->append(pad.substr(at, bytes));
        at = at + bytes == pad.size() ? 0 : at + bytes;
      }
      if (left) out->append(text);
    });
  });
}

Result<TypePtr> ResolveConcat(std::vector<TypePtr>& types) {
  MUTIRAO_TRY(ExpectArguments(types, 1, size_t(-1)));
  for (size_t i = 0; i < types.size(); ++i) {
    if (!CanCast(*types[i], *arrow::utf8())) return WrongArgument(i, "text", *types[i]);
    types[i] = arrow::utf8();
  }
  return arrow::utf8();
}

Result<Kernel> MakeConcatSkippingNulls(const CallSite&) {
  return Kernel([](const std::vector<ArrayPtr>& args, int64_t rows) -> Result<ArrayPtr> {
    std::vector<Texts> texts;
    int64_t bytes = 0;
    for (const ArrayPtr& arg : args) {
      texts.emplace_back(*arg);
      bytes += TotalBytes(*arg, rows);
    }
    return BuildTexts(rows, {}, bytes, [&](int64_t row, std::string* out) {
      for (size_t i = 0; i < args.size(); ++i) {
        if (args[i]->IsValid(args[i]->length() == 1 ? 0 : row)) out->append(texts[i][row]);
      }
    });
  });
}

Result<ArrayPtr> DigitsOnly(const std::vector<ArrayPtr>& args, int64_t rows) {
  auto nulls = MUTIRAO_TRY(CombineNulls(args, rows));
  Texts texts(*args[0]);
  auto builder = MUTIRAO_TRY(TextBuilder::Make(rows, TotalBytes(*args[0], rows)));
  for (int64_t row = 0; row < rows; ++row) {
    std::string_view text = nulls.is_null(row) ? std::string_view() : texts[row];
    char* out = builder.Reserve(text.size());
    if (out == nullptr) break;
    size_t kept = 0;
    for (char c : text) {
      out[kept] = c;
      kept += static_cast<unsigned char>(c - '0') < 10;
    }
    builder.Commit(kept);
  }
  return builder.Finish(arrow::utf8(), std::move(nulls));
}

}  // namespace

void AddTextPieces(std::vector<FunctionDef>* functions) {
  auto text = arrow::utf8();
  functions->push_back(
      {.name = "substr",
       .signatures = {"substr(text string, start int64) → string",
                      "substr(text string, start int64, length int64) → string"},
       .summary = "Give the characters from a position, counted from 1, or from the end when negative.",
       .examples = {{"substr('são paulo', 2, 2)", "'ão'"}, {"substr('abc', -2)", "'bc'"}},
       .resolve = Takes({text, arrow::int64(), arrow::int64()}, text, 1),
       .make_kernel = MakeSubstr});
  functions->push_back({.name = "split_part",
                        .signatures = {"split_part(text string, delimiter string, index int64) → string"},
                        .summary = "Give one of the pieces between delimiters, counted from 1, or from the end when "
                                   "negative; empty when there is none.",
                        .examples = {{"split_part('a,b,c', ',', 2)", "'b'"}, {"split_part('a,b,c', ',', -1)", "'c'"}},
                        .resolve = Takes({text, text, arrow::int64()}, text),
                        .make_kernel = MakeSplitPart});
  functions->push_back({.name = "lpad",
                        .signatures = {"lpad(text string, width int64) → string",
                                       "lpad(text string, width int64, with string) → string"},
                        .summary = "Fill up or cut to a width in characters, filling at the begin.",
                        .examples = {{"lpad('7', 3, '0')", "'007'"}},
                        .resolve = Takes({text, arrow::int64(), text}, text, 1),
                        .make_kernel = MakePad<true>});
  functions->push_back({.name = "rpad",
                        .signatures = {"rpad(text string, width int64) → string",
                                       "rpad(text string, width int64, with string) → string"},
                        .summary = "Fill up or cut to a width in characters, filling at the end.",
                        .examples = {{"rpad('ab', 4, '.')", "'ab..'"}},
                        .resolve = Takes({text, arrow::int64(), text}, text, 1),
                        .make_kernel = MakePad<false>});
  functions->push_back({.name = "concat",
                        .signatures = {"concat(value any, …) → string"},
                        .summary = "Put values together as text; nulls are left out (|| gives null instead).",
                        .examples = {{"concat('a', null, 1)", "'a1'"}},
                        .resolve = ResolveConcat,
                        .make_kernel = MakeConcatSkippingNulls});
  functions->push_back({.name = "digits_only",
                        .signatures = {"digits_only(text string) → string"},
                        .summary = "Keep the digits 0 to 9 and nothing else.",
                        .examples = {{"digits_only('11.222.333/0001-81')", "'11222333000181'"}},
                        .resolve = Takes({text}, text),
                        .make_kernel = [](const CallSite&) { return Result<Kernel>(Kernel(DigitsOnly)); }});
}

}  // namespace mutirao::frame
