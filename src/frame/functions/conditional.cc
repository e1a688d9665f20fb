#include <algorithm>

#include <arrow/api.h>

#include "columnar/arrow_status.h"
#include "frame/expr/coercion.h"
#include "frame/expr/operators.h"
#include "frame/expr/row_choice.h"
#include "frame/functions/families.h"
#include "frame/functions/ordering.h"
#include "frame/functions/physical.h"
#include "frame/functions/values.h"

namespace mutirao::frame {
namespace {

Resolve TakesOneType(size_t least, size_t most) {
  return [least, most](std::vector<TypePtr>& types) -> Result<TypePtr> {
    MUTIRAO_TRY(ExpectArguments(types, least, most));
    TypePtr common = types[0];
    for (size_t i = 1; i < types.size(); ++i) {
      common = CommonType(common, types[i]);
      if (common == nullptr) return WrongArgument(i, TypeName(*types[0]), *types[i]);
    }
    if (IsNullType(*common)) common = arrow::utf8();
    std::fill(types.begin(), types.end(), common);
    return common;
  };
}

// The evaluator computes these branch by branch; a kernel is never asked for.
Result<Kernel> ByEvaluator(const CallSite&) {
  return Kernel();
}

template <typename T, bool greatest>
Result<ArrayPtr> Extreme(const TypePtr& type, const std::vector<ArrayPtr>& args, int64_t rows) {
  std::vector<Values<T>> readers;
  for (const ArrayPtr& arg : args) readers.emplace_back(*arg);
  std::vector<std::vector<int64_t>> rows_of(args.size());
  for (int64_t row = 0; row < rows; ++row) {
    int best = -1;
    for (size_t i = 0; i < args.size(); ++i) {
      if (args[i]->IsNull(args[i]->length() == 1 ? 0 : row)) continue;
      bool better = best < 0 || (greatest ? IsLess<T>(readers[best][row], readers[i][row])
                                          : IsLess<T>(readers[i][row], readers[best][row]));
      if (better) best = static_cast<int>(i);
    }
    if (best >= 0) rows_of[best].push_back(row);
  }
  RowChoice choice(type, rows);
  for (size_t i = 0; i < args.size(); ++i) choice.Take(args[i], rows_of[i]);
  return choice.Finish();
}

template <bool greatest>
Result<Kernel> MakeExtreme(const CallSite& site) {
  return VisitPhysical(*site.result_type, [&](auto tag) -> Kernel {
    using T = decltype(tag);
    return [type = site.result_type](const std::vector<ArrayPtr>& args, int64_t rows) {
      return Extreme<T, greatest>(type, args, rows);
    };
  });
}

template <bool greatest>
Result<TypePtr> ResolveExtreme(std::vector<TypePtr>& types) {
  auto type = MUTIRAO_TRY(TakesOneType(1, size_t(-1))(types));
  if (type->id() == arrow::Type::LIST) return WrongArgument(0, "values that have an order", *type);
  return type;
}

Result<Kernel> MakeNullIf(const CallSite& site) {
  auto equal = MUTIRAO_TRY(MakeComparison("=", site));
  return Kernel([equal, type = site.result_type](const std::vector<ArrayPtr>& args, int64_t rows) -> Result<ArrayPtr> {
    auto same = MUTIRAO_TRY(equal(args, rows));
    auto truth = MUTIRAO_TRY(Trilean::From(*same, rows));
    if (truth.CountTrue() == 0 && (args[0]->length() == rows)) return args[0];
    if (args[0]->length() != rows || type->id() == arrow::Type::LIST) {
      RowChoice choice(type, rows);
      choice.Take(args[0], truth.RowsNotTrue());
      return choice.Finish();
    }
    // The values stay where they are; only more of them are null.
    auto valid = MUTIRAO_TRY(MakeBitmap(args[0]->offset() + rows, false));
    for (int64_t row = 0; row < rows; ++row) {
      if (!truth.is_true(row) && args[0]->IsValid(row))
        arrow::bit_util::SetBit(valid->mutable_data(), args[0]->offset() + row);
    }
    auto data = args[0]->data()->Copy();
    data->buffers[0] = std::move(valid);
    data->null_count = arrow::kUnknownNullCount;
    return arrow::MakeArray(std::move(data));
  });
}

Result<TypePtr> ResolveNullIf(std::vector<TypePtr>& types) {
  auto type = MUTIRAO_TRY(TakesOneType(2, 2)(types));
  if (type->id() == arrow::Type::LIST) return WrongArgument(0, "values that can be compared", *type);
  return type;
}

Result<TypePtr> ResolveIf(std::vector<TypePtr>& types) {
  MUTIRAO_TRY(ExpectArguments(types, 3, 3));
  if (types[0]->id() != arrow::Type::BOOL && !IsNullType(*types[0]))
    return WrongArgument(0, "a condition (bool)", *types[0]);
  types[0] = arrow::boolean();
  std::vector<TypePtr> values(types.begin() + 1, types.end());
  auto type = MUTIRAO_TRY(TakesOneType(2, 2)(values));
  types[1] = types[2] = type;
  return type;
}

}  // namespace

void AddConditionals(std::vector<FunctionDef>* functions) {
  functions->push_back({.name = "coalesce",
                        .signatures = {"coalesce(value t, …) → t"},
                        .summary = "Give the first value that is not null.",
                        .examples = {{"coalesce(null, 'a', 'b')", "'a'"}},
                        .resolve = TakesOneType(1, size_t(-1)),
                        .make_kernel = ByEvaluator});
  functions->push_back({.name = "if",
                        .signatures = {"if(condition bool, then t, else t) → t"},
                        .summary = "Give one value where a condition is true and another where it is false or null.",
                        .examples = {{"if(2 > 1, 'yes', 'no')", "'yes'"}, {"if(null, 1, 2)", "2"}},
                        .resolve = ResolveIf,
                        .make_kernel = ByEvaluator});
  functions->push_back({.name = "nullif",
                        .signatures = {"nullif(value t, other t) → t"},
                        .summary = "Give null where two values are equal, otherwise the first.",
                        .examples = {{"nullif('', '')", "null"}, {"nullif('a', '')", "'a'"}},
                        .resolve = ResolveNullIf,
                        .make_kernel = MakeNullIf});
  functions->push_back({.name = "greatest",
                        .signatures = {"greatest(value t, …) → t"},
                        .summary = "Give the greatest of the values that are not null.",
                        .examples = {{"greatest(1, null, 3)", "3"}},
                        .resolve = ResolveExtreme<true>,
                        .make_kernel = MakeExtreme<true>});
  functions->push_back({.name = "least",
                        .signatures = {"least(value t, …) → t"},
                        .summary = "Give the least of the values that are not null.",
                        .examples = {{"least(2, null, 3)", "2"}},
                        .resolve = ResolveExtreme<false>,
                        .make_kernel = MakeExtreme<false>});
}

}  // namespace mutirao::frame
