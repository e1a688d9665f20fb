#include <arrow/api.h>

#include "columnar/arrow_status.h"
#include "frame/expr/coercion.h"
#include "frame/functions/families.h"
#include "frame/functions/text_map.h"
#include "frame/functions/text_scan.h"

namespace mutirao::frame {
namespace {

template <typename Test>
Result<Kernel> MakeTest(Test test) {
  return Kernel([test](const std::vector<ArrayPtr>& args, int64_t rows) -> Result<ArrayPtr> {
    auto nulls = MUTIRAO_TRY(CombineNulls(args, rows));
    Texts texts(*args[0]), parts(*args[1]);
    return MapBits(rows, std::move(nulls), [&](int64_t row) { return test(texts[row], parts[row]); });
  });
}

Result<Kernel> MakeStartsWith(const CallSite&) {
  return MakeTest([](std::string_view text, std::string_view part) { return text.starts_with(part); });
}
Result<Kernel> MakeEndsWith(const CallSite&) {
  return MakeTest([](std::string_view text, std::string_view part) { return text.ends_with(part); });
}
Result<Kernel> MakeContains(const CallSite&) {
  return MakeTest(
      [](std::string_view text, std::string_view part) { return FindText(text, part) != std::string_view::npos; });
}

// One byte for one byte: lengths stay, so all texts are translated as one.
Result<ArrayPtr> ReplaceByte(const ArrayPtr& arg, char from, char to) {
  const auto& texts = static_cast<const arrow::BinaryArray&>(*arg);
  const int32_t* offsets = texts.raw_value_offsets();
  int32_t begin = offsets[0];
  int32_t size = offsets[texts.length()] - begin;
  std::shared_ptr<arrow::Buffer> bytes = MUTIRAO_TRY(arrow::AllocateBuffer(size));
  const uint8_t* in = texts.value_data() ? texts.value_data()->data() + begin : nullptr;
  uint8_t* out = bytes->mutable_data();
  for (int32_t i = 0; i < size; ++i) out[i] = in[i] == static_cast<uint8_t>(from) ? static_cast<uint8_t>(to) : in[i];
  std::shared_ptr<arrow::Buffer> moved = MUTIRAO_TRY(arrow::AllocateBuffer((texts.length() + 1) * 4));
  auto* new_offsets = reinterpret_cast<int32_t*>(moved->mutable_data());
  for (int64_t i = 0; i <= texts.length(); ++i) new_offsets[i] = offsets[i] - begin;
  auto nulls = MUTIRAO_TRY(CombineNulls({arg}, texts.length()));
  return arrow::MakeArray(
      arrow::ArrayData::Make(arrow::utf8(), texts.length(), {nulls.bitmap, moved, bytes}, nulls.count));
}

Result<ArrayPtr> ReplaceTexts(const std::vector<ArrayPtr>& args, int64_t rows) {
  auto nulls = MUTIRAO_TRY(CombineNulls(args, rows));
  Texts texts(*args[0]), olds(*args[1]), news(*args[2]);
  return BuildTexts(rows, std::move(nulls), TotalBytes(*args[0], rows), [&](int64_t row, std::string* out) {
    std::string_view text = texts[row], old = olds[row];
    size_t begin = 0;
    if (!old.empty()) {
      for (size_t at = FindText(text, old); at != std::string_view::npos; at = FindText(text, old, begin)) {
        out->append(text.substr(begin, at - begin));
        out->append(news[row]);
        begin = at + old.size();
      }
    }
    out->append(text.substr(begin));
  });
}

Result<Kernel> MakeReplace(const CallSite& site) {
  std::string from, to;
  bool constant = ConstantText(site, 1, &from) && ConstantText(site, 2, &to) && !site.constants[0];
  bool bytes = constant && from.size() == 1 && to.size() == 1 && IsAscii(from) && IsAscii(to);
  if (!bytes) return Kernel(ReplaceTexts);
  return Kernel([from = from[0], to = to[0]](const std::vector<ArrayPtr>& args, int64_t) {
    return ReplaceByte(args[0], from, to);
  });
}

Result<TypePtr> ResolveLength(std::vector<TypePtr>& types) {
  MUTIRAO_TRY(ExpectArguments(types, 1, 1));
  if (IsNullType(*types[0])) types[0] = arrow::utf8();
  auto id = types[0]->id();
  bool good = id == arrow::Type::STRING || id == arrow::Type::BINARY || id == arrow::Type::LIST;
  if (!good) return WrongArgument(0, "text, binary or a list", *types[0]);
  return arrow::int64();
}

Result<Kernel> MakeLength(const CallSite& site) {
  if (site.arg_types[0]->id() == arrow::Type::LIST) {
    return Kernel([](const std::vector<ArrayPtr>& args, int64_t rows) -> Result<ArrayPtr> {
      auto nulls = MUTIRAO_TRY(CombineNulls(args, rows));
      const auto& list = static_cast<const arrow::ListArray&>(*args[0]);
      int64_t step = list.length() == 1 ? 0 : 1;
      return MapRows<int64_t>(arrow::int64(), rows, std::move(nulls),
                              [&](int64_t row) { return int64_t{list.value_length(row * step)}; });
    });
  }
  bool bytes = site.arg_types[0]->id() == arrow::Type::BINARY;
  return Kernel([bytes](const std::vector<ArrayPtr>& args, int64_t rows) -> Result<ArrayPtr> {
    auto nulls = MUTIRAO_TRY(CombineNulls(args, rows));
    Texts texts(*args[0]);
    return MapRows<int64_t>(arrow::int64(), rows, std::move(nulls), [&](int64_t row) {
      return bytes ? static_cast<int64_t>(texts[row].size()) : CountCharacters(texts[row]);
    });
  });
}

}  // namespace

void AddTextSearches(std::vector<FunctionDef>* functions) {
  auto text = arrow::utf8();
  auto two = Takes({text, text}, arrow::boolean());
  functions->push_back({.name = "starts_with",
                        .signatures = {"starts_with(text string, prefix string) → bool"},
                        .summary = "Say whether a text begins with another.",
                        .examples = {{"starts_with('mutirão', 'mut')", "true"}},
                        .resolve = two,
                        .make_kernel = MakeStartsWith});
  functions->push_back({.name = "ends_with",
                        .signatures = {"ends_with(text string, suffix string) → bool"},
                        .summary = "Say whether a text ends with another.",
                        .examples = {{"ends_with('mutirão', 'ão')", "true"}},
                        .resolve = two,
                        .make_kernel = MakeEndsWith});
  functions->push_back({.name = "contains",
                        .signatures = {"contains(text string, part string) → bool"},
                        .summary = "Say whether a text has another in it.",
                        .examples = {{"contains('mutirão', 'tir')", "true"}, {"contains('abc', 'x')", "false"}},
                        .resolve = two,
                        .make_kernel = MakeContains});
  functions->push_back({.name = "replace",
                        .signatures = {"replace(text string, old string, new string) → string"},
                        .summary = "Replace every occurrence of a text in another.",
                        .examples = {{"replace('1234,56', ',', '.')", "'1234.56'"}},
                        .resolve = Takes({text, text, text}, text),
                        .make_kernel = MakeReplace});
  functions->push_back(
      {.name = "length",
       .signatures = {"length(text string) → int64", "length(bytes binary) → int64", "length(items list<t>) → int64"},
       .summary = "Count the characters of a text, the bytes of a binary or the items of a list.",
       .examples = {{"length('são')", "3"}, {"length(split('a,b', ','))", "2"}},
       .resolve = ResolveLength,
       .make_kernel = MakeLength});
}

}  // namespace mutirao::frame
