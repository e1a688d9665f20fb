#include <arrow/api.h>

#include "columnar/arrow_status.h"
#include "frame/functions/families.h"
#include "frame/functions/text_map.h"
#include "frame/functions/text_scan.h"

namespace mutirao::frame {
namespace {

enum class Side { kBoth, kLeft, kRight };

template <Side side>
std::string_view TrimSpaces(std::string_view text) {
  size_t begin = 0, end = text.size();
  if constexpr (side != Side::kRight) {
    while (begin < end && text[begin] == ' ') ++begin;
  }
  if constexpr (side != Side::kLeft) {
    while (end > begin && text[end - 1] == ' ') --end;
  }
  return text.substr(begin, end - begin);
}

bool HasCharacter(std::string_view set, std::string_view character) {
  for (size_t at = 0; at < set.size(); at += CharacterBytes(set, at)) {
    if (set.substr(at, CharacterBytes(set, at)) == character) return true;
  }
  return false;
}

template <Side side>
std::string_view TrimCharacters(std::string_view text, std::string_view set) {
  if constexpr (side != Side::kRight) {
    while (!text.empty() && HasCharacter(set, text.substr(0, CharacterBytes(text, 0))))
      text.remove_prefix(CharacterBytes(text, 0));
  }
  if constexpr (side != Side::kLeft) {
    while (!text.empty()) {
      size_t at = text.size() - 1;
      while (at > 0 && !BeginsCharacter(text[at])) --at;
      if (!HasCharacter(set, text.substr(at))) break;
      text.remove_suffix(text.size() - at);
    }
  }
  return text;
}

template <Side side>
Result<Kernel> MakeTrim(const CallSite& site) {
  if (site.arg_types.size() == 1) {
    return Kernel([](const std::vector<ArrayPtr>& args, int64_t rows) {
      return CutTexts(args, rows, [](int64_t, std::string_view text) { return TrimSpaces<side>(text); });
    });
  }
  return Kernel([](const std::vector<ArrayPtr>& args, int64_t rows) {
    Texts sets(*args[1]);
    return CutTexts(args, rows,
                    [&](int64_t row, std::string_view text) { return TrimCharacters<side>(text, sets[row]); });
  });
}

}  // namespace

void AddTextTrims(std::vector<FunctionDef>* functions) {
  auto takes = Takes({arrow::utf8(), arrow::utf8()}, arrow::utf8(), 1);
  functions->push_back({.name = "trim",
                        .signatures = {"trim(text string) → string", "trim(text string, characters string) → string"},
                        .summary = "Remove spaces, or any of the given characters, from both ends.",
                        .examples = {{"trim('  a b ')", "'a b'"}, {"trim('--a-', '-')", "'a'"}},
                        .resolve = takes,
                        .make_kernel = MakeTrim<Side::kBoth>});
  functions->push_back({.name = "ltrim",
                        .signatures = {"ltrim(text string) → string", "ltrim(text string, characters string) → string"},
                        .summary = "Remove spaces, or any of the given characters, from the begin.",
                        .examples = {{"ltrim('  a ')", "'a '"}, {"ltrim('0042', '0')", "'42'"}},
                        .resolve = takes,
                        .make_kernel = MakeTrim<Side::kLeft>});
  functions->push_back({.name = "rtrim",
                        .signatures = {"rtrim(text string) → string", "rtrim(text string, characters string) → string"},
                        .summary = "Remove spaces, or any of the given characters, from the end.",
                        .examples = {{"rtrim(' a  ')", "' a'"}},
                        .resolve = takes,
                        .make_kernel = MakeTrim<Side::kRight>});
}

}  // namespace mutirao::frame
