#include <arrow/api.h>
#include <arrow/util/utf8.h>
#include <fmt/format.h>

#include "columnar/arrow_status.h"
#include "frame/functions/cast.h"
#include "frame/functions/physical.h"
#include "frame/functions/text_builder.h"
#include "frame/functions/time_text.h"
#include "frame/functions/value_text.h"
#include "frame/functions/values.h"

namespace mutirao::frame {
namespace {

// Makes a kernel of a function (text, Out*) → bool.
template <typename Out, typename Parse>
Kernel ParsingKernel(const TypePtr& to, bool try_cast, Parse parse) {
  return [to, try_cast, parse](const std::vector<ArrayPtr>& args, int64_t rows) -> Result<ArrayPtr> {
    auto nulls = MUTIRAO_TRY(CombineNulls(args, rows));
    Texts texts(*args[0]);
    return MapChecked<Out>(
        to, rows, std::move(nulls), try_cast, [&](int64_t row, Out* out) { return parse(texts[row], out); },
        [&](int64_t row) { return fmt::format("{} is not a {}", ShowText(texts[row]), TypeName(*to)); });
  };
}

template <typename Out>
Kernel IntegerKernel(const TypePtr& to, bool try_cast) {
  return ParsingKernel<Out>(to, try_cast, [](std::string_view text, Out* out) {
    int64_t value;
    if (!ParseInt64(text, &value)) return false;
    *out = static_cast<Out>(value);
    return *out == value;
  });
}

Kernel BoolKernel(bool try_cast) {
  return [try_cast](const std::vector<ArrayPtr>& args, int64_t rows) -> Result<ArrayPtr> {
    auto nulls = MUTIRAO_TRY(CombineNulls(args, rows));
    Texts texts(*args[0]);
    auto bytes = MUTIRAO_TRY(MapChecked<int8_t>(
        arrow::int8(), rows, std::move(nulls), try_cast,
        [&](int64_t row, int8_t* out) {
          bool value = false;
          bool good = ParseBool(texts[row], &value);
          *out = value;
          return good;
        },
        [&](int64_t row) { return fmt::format("{} is not a bool", ShowText(texts[row])); }));
    auto parsed = MUTIRAO_TRY(CombineNulls({bytes}, rows));
    Values<int8_t> values(*bytes);
    return MapBits(rows, std::move(parsed), [&](int64_t row) { return values[row] != 0; });
  };
}

}  // namespace

Result<Kernel> CastFromText(const TypePtr& to, bool try_cast) {
  switch (to->id()) {
    case arrow::Type::BOOL:
      return BoolKernel(try_cast);
    case arrow::Type::INT8:
      return IntegerKernel<int8_t>(to, try_cast);
    case arrow::Type::INT16:
      return IntegerKernel<int16_t>(to, try_cast);
    case arrow::Type::INT32:
      return IntegerKernel<int32_t>(to, try_cast);
    case arrow::Type::INT64:
      return ParsingKernel<int64_t>(to, try_cast, ParseInt64);
    case arrow::Type::DOUBLE:
      return ParsingKernel<double>(to, try_cast, ParseFloat64);
    case arrow::Type::DATE32:
      return ParsingKernel<int32_t>(to, try_cast, ParseDate);
    case arrow::Type::DECIMAL128: {
      int precision = PrecisionOf(*to), scale = ScaleOf(*to);
      return ParsingKernel<Int128>(to, try_cast, [precision, scale](std::string_view text, Int128* out) {
        return ParseDecimal(text, precision, scale, out);
      });
    }
    case arrow::Type::TIMESTAMP: {
      auto zone = MUTIRAO_TRY(FindZone(static_cast<const arrow::TimestampType&>(*to).timezone()));
      return ParsingKernel<int64_t>(
          to, try_cast, [zone](std::string_view text, int64_t* out) { return ParseTimestamp(text, zone, out); });
    }
    default:  // binary: the same bytes
      return Kernel([to](const std::vector<ArrayPtr>& args, int64_t) -> Result<ArrayPtr> {
        return MUTIRAO_TRY(args[0]->View(to));
      });
  }
}

namespace {

// Makes a kernel of a function (value, std::string*) that appends the text of a value.
template <typename T, typename Write>
Kernel WritingKernel(int expected_bytes, Write write) {
  return [expected_bytes, write](const std::vector<ArrayPtr>& args, int64_t rows) -> Result<ArrayPtr> {
    auto nulls = MUTIRAO_TRY(CombineNulls(args, rows));
    Values<T> values(*args[0]);
    auto builder = MUTIRAO_TRY(TextBuilder::Make(rows, rows * expected_bytes));
    std::string text;
    for (int64_t row = 0; row < rows; ++row) {
      text.clear();
      if (!nulls.is_null(row)) write(values[row], &text);
      builder.Append(text);
    }
    return builder.Finish(arrow::utf8(), std::move(nulls));
  };
}

Kernel BinaryToText(bool try_cast) {
  return [try_cast](const std::vector<ArrayPtr>& args, int64_t rows) -> Result<ArrayPtr> {
    arrow::util::InitializeUTF8();
    auto nulls = MUTIRAO_TRY(CombineNulls(args, rows));
    Texts values(*args[0]);
    auto valid = MUTIRAO_TRY(MakeBitmap(rows, false));
    auto builder = MUTIRAO_TRY(TextBuilder::Make(rows, rows * 16));
    for (int64_t row = 0; row < rows; ++row) {
      std::string_view bytes = nulls.is_null(row) ? std::string_view() : values[row];
      bool good = arrow::util::ValidateUTF8(bytes);
      if (!good && !try_cast) return RowError(row, "the bytes are not valid UTF-8 and cannot be a string");
      if (good && !nulls.is_null(row)) arrow::bit_util::SetBit(valid->mutable_data(), row);
      builder.Append(good ? bytes : std::string_view());
    }
    return builder.Finish(arrow::utf8(), NullsOf(std::move(valid), rows));
  };
}

Kernel ListToText() {
  return [](const std::vector<ArrayPtr>& args, int64_t rows) -> Result<ArrayPtr> {
    auto nulls = MUTIRAO_TRY(CombineNulls(args, rows));
    auto builder = MUTIRAO_TRY(TextBuilder::Make(rows, rows * 32));
    for (int64_t row = 0; row < rows; ++row) {
      if (nulls.is_null(row)) {
        builder.Append({});
        continue;
      }
      auto value = MUTIRAO_TRY(args[0]->GetScalar(args[0]->length() == 1 ? 0 : row));
      builder.Append(ScalarText(*value));
    }
    return builder.Finish(arrow::utf8(), std::move(nulls));
  };
}

}  // namespace

Result<Kernel> CastToText(const TypePtr& from, bool try_cast) {
  switch (from->id()) {
    case arrow::Type::BOOL:
      return WritingKernel<bool>(5, [](bool value, std::string* out) { out->append(value ? "true" : "false"); });
    case arrow::Type::INT8:
      return WritingKernel<int8_t>(4, [](int8_t value, std::string* out) { AppendInt64(value, out); });
    case arrow::Type::INT16:
      return WritingKernel<int16_t>(6, [](int16_t value, std::string* out) { AppendInt64(value, out); });
    case arrow::Type::INT32:
      return WritingKernel<int32_t>(8, [](int32_t value, std::string* out) { AppendInt64(value, out); });
    case arrow::Type::INT64:
      return WritingKernel<int64_t>(12, AppendInt64);
    case arrow::Type::DOUBLE:
      return WritingKernel<double>(12, AppendFloat64);
    case arrow::Type::DATE32:
      return WritingKernel<int32_t>(10, AppendDate);
    case arrow::Type::DECIMAL128: {
      int scale = ScaleOf(*from);
      return WritingKernel<Int128>(16, [scale](Int128 value, std::string* out) { AppendDecimal(value, scale, out); });
    }
    case arrow::Type::TIMESTAMP: {
      auto zone = MUTIRAO_TRY(FindZone(static_cast<const arrow::TimestampType&>(*from).timezone()));
      return WritingKernel<int64_t>(24, [zone](int64_t value, std::string* out) { AppendTimestamp(value, zone, out); });
    }
    case arrow::Type::LIST:
      return ListToText();
    default:
      return BinaryToText(try_cast);
  }
}

}  // namespace mutirao::frame
