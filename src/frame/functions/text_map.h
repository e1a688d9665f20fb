#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "frame/functions/text_builder.h"
#include "frame/functions/values.h"

namespace mutirao::frame {

/// The bytes of all texts of an array, to reserve room for results of about that size.
inline int64_t TotalBytes(const arrow::Array& array, int64_t rows) {
  const auto& texts = static_cast<const arrow::BinaryArray&>(array);
  return array.length() == rows ? texts.total_values_length() : texts.total_values_length() * rows;
}

/// Compute texts by a function (row, std::string* out) that appends to an empty `out`; not called for null rows.
template <typename F>
Result<ArrayPtr> BuildTexts(int64_t rows, Nulls nulls, int64_t expected_bytes, F&& write) {
  auto builder = MUTIRAO_TRY(TextBuilder::Make(rows, expected_bytes));
  std::string text;
  for (int64_t row = 0; row < rows; ++row) {
    text.clear();
    if (!nulls.is_null(row)) write(row, &text);
    builder.Append(text);
  }
  return builder.Finish(arrow::utf8(), std::move(nulls));
}

/// Compute texts that are parts of the first argument, by a function (row, text) → text; not called for null rows.
/// An array in which no row changes is given back as it is.
template <typename F>
Result<ArrayPtr> CutTexts(const std::vector<ArrayPtr>& args, int64_t rows, F&& cut) {
  auto nulls = MUTIRAO_TRY(CombineNulls(args, rows));
  Texts texts(*args[0]);
  int64_t same = 0;
  bool sharing = args[0]->length() == rows && nulls.count == args[0]->null_count();
  while (sharing && same < rows && (nulls.is_null(same) || cut(same, texts[same]).size() == texts[same].size())) ++same;
  if (sharing && same == rows) return args[0];
  auto builder = MUTIRAO_TRY(TextBuilder::Make(rows, TotalBytes(*args[0], rows)));
  for (int64_t row = 0; row < rows; ++row)
    builder.Append(nulls.is_null(row) ? std::string_view() : cut(row, texts[row]));
  return builder.Finish(arrow::utf8(), std::move(nulls));
}

}  // namespace mutirao::frame
