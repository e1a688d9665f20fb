#include <arrow/api.h>

#include "columnar/arrow_status.h"
#include "frame/expr/coercion.h"
#include "frame/expr/operators.h"
#include "frame/functions/families.h"
#include "frame/functions/text_builder.h"
#include "frame/functions/text_scan.h"
#include "frame/functions/values.h"

namespace mutirao::frame {
namespace {

Result<ArrayPtr> Split(const std::vector<ArrayPtr>& args, int64_t rows) {
  auto nulls = MUTIRAO_TRY(CombineNulls(args, rows));
  Texts texts(*args[0]), separators(*args[1]);
  arrow::StringBuilder pieces;
  std::shared_ptr<arrow::Buffer> buffer = MUTIRAO_TRY(arrow::AllocateBuffer((rows + 1) * 4));
  auto* offsets = reinterpret_cast<int32_t*>(buffer->mutable_data());
  offsets[0] = 0;
  for (int64_t row = 0; row < rows; ++row) {
    if (!nulls.is_null(row)) {
      std::string_view text = texts[row], separator = separators[row];
      size_t begin = 0;
      while (true) {
        bool every = separator.empty();
        size_t end = every ? (begin < text.size() ? begin + CharacterBytes(text, begin) : text.size())
                           : FindText(text, separator, begin);
        bool last = end == std::string_view::npos || (every && end == text.size());
        MUTIRAO_TRY(pieces.Append(text.substr(begin, last ? std::string_view::npos : end - begin)));
        if (last) break;
        begin = end + separator.size();
      }
    }
    offsets[row + 1] = static_cast<int32_t>(pieces.length());
  }
  auto values = MUTIRAO_TRY(pieces.Finish());
  auto data =
      arrow::ArrayData::Make(arrow::list(arrow::utf8()), rows, {nulls.bitmap, buffer}, {values->data()}, nulls.count);
  return arrow::MakeArray(std::move(data));
}

Result<TypePtr> ResolveContains(std::vector<TypePtr>& types) {
  MUTIRAO_TRY(ExpectArguments(types, 2, 2));
  if (types[0]->id() != arrow::Type::LIST) return WrongArgument(0, "a list", *types[0]);
  const TypePtr& item = static_cast<const arrow::ListType&>(*types[0]).value_type();
  TypePtr common = CommonType(types[1], item);
  if (item->id() == arrow::Type::LIST || common == nullptr || !common->Equals(*item))
    return WrongArgument(1, TypeName(*item), *types[1]);
  types[1] = item;
  return arrow::boolean();
}

Result<Kernel> MakeContains(const CallSite& site) {
  CallSite turned = site;
  std::swap(turned.arg_types[0], turned.arg_types[1]);
  std::swap(turned.constants[0], turned.constants[1]);
  return Kernel([contains = MakeListContains(turned)](const std::vector<ArrayPtr>& args, int64_t rows) {
    return contains({args[1], args[0]}, rows);
  });
}

}  // namespace

void AddLists(std::vector<FunctionDef>* functions) {
  functions->push_back({.name = "split",
                        .signatures = {"split(text string, separator string) → list<string>"},
                        .summary = "Cut a text at every separator; an empty one cuts between all characters.",
                        .examples = {{"split('a,b,,c', ',')", "['a', 'b', '', 'c']"}},
                        .resolve = Takes({arrow::utf8(), arrow::utf8()}, arrow::list(arrow::utf8())),
                        .make_kernel = [](const CallSite&) { return Result<Kernel>(Kernel(Split)); }});
  functions->push_back({.name = "list_contains",
                        .signatures = {"list_contains(items list<t>, value t) → bool"},
                        .summary = "Say whether a list has an item equal to a value.",
                        .examples = {{"list_contains(split('a,b', ','), 'b')", "true"}},
                        .resolve = ResolveContains,
                        .make_kernel = MakeContains});
}

}  // namespace mutirao::frame
