#pragma once

#include <cstdint>
#include <random>
#include <string>
#include <vector>

#include <arrow/api.h>

#include "columnar/arrow_status.h"
#include "columnar/type.h"

namespace mutirao::formats::parquet_encode {

enum class Nulls { kNone, kAll, kSome, kRuns };

/// How a column of random values for tests looks like.
struct Sample {
  TypePtr type;
  Nulls nulls = Nulls::kNone;
  int64_t kinds = 100;  ///< different values, about
  int text_length = 12;
};

/// Make random columns for tests, the same for the same seed.
class SampleMaker {
 public:
  explicit SampleMaker(uint32_t seed) : random_(seed) {}

  ArrayPtr Make(const Sample& sample, int64_t rows) {
    auto builder = MUTIRAO_MUST(arrow::MakeBuilder(sample.type));
    bool null_run = false;
    for (int64_t i = 0; i < rows; ++i) {
      if (i % 50 == 0) null_run = Below(2) == 0;
      bool null = sample.nulls == Nulls::kAll || (sample.nulls == Nulls::kSome && Below(3) == 0) ||
                  (sample.nulls == Nulls::kRuns && null_run);
      MUTIRAO_MUST(null ? builder->AppendNull() : Append(*builder, sample));
    }
    return MUTIRAO_MUST(builder->Finish());
  }

  int64_t Below(int64_t limit) { return std::uniform_int_distribution<int64_t>(0, limit - 1)(random_); }

 private:
  std::string Text(int64_t kind, int length) {
    static const std::vector<std::string> pieces = {"a", "Z", "0", " ", "ção", "São ", "€", "😀", "é", "\x7f"};
    std::mt19937 of_kind(static_cast<uint32_t>(kind));
    std::string text;
    auto wanted = static_cast<size_t>(length == 0 ? 0 : kind % (2 * length));
    while (text.size() < wanted) text += pieces[of_kind() % pieces.size()];
    return text;
  }

  arrow::Status AppendList(arrow::ListBuilder& builder, const Sample& sample) {
    ARROW_RETURN_NOT_OK(builder.Append());
    Sample items = sample;
    items.type = sample.type->field(0)->type();
    int64_t length = Below(4) == 0 ? 0 : Below(5);
    for (int64_t i = 0; i < length; ++i) {
      bool null = sample.nulls == Nulls::kSome && Below(4) == 0;
      ARROW_RETURN_NOT_OK(null ? builder.value_builder()->AppendNull() : Append(*builder.value_builder(), items));
    }
    return arrow::Status::OK();
  }

  arrow::Status Append(arrow::ArrayBuilder& builder, const Sample& sample) {
    int64_t kind = Below(sample.kinds);
    int64_t spread = (kind - sample.kinds / 2) * 7919;
    switch (sample.type->id()) {
      case arrow::Type::BOOL:
        return static_cast<arrow::BooleanBuilder&>(builder).Append(kind % 2 == 0);
      case arrow::Type::INT8:
        return static_cast<arrow::Int8Builder&>(builder).Append(static_cast<int8_t>(spread));
      case arrow::Type::INT16:
        return static_cast<arrow::Int16Builder&>(builder).Append(static_cast<int16_t>(spread));
      case arrow::Type::INT32:
        return static_cast<arrow::Int32Builder&>(builder).Append(static_cast<int32_t>(spread * 104729));
      case arrow::Type::DATE32:
        return static_cast<arrow::Date32Builder&>(builder).Append(static_cast<int32_t>(kind % 20000));
      case arrow::Type::INT64:
        return static_cast<arrow::Int64Builder&>(builder).Append(spread * 1000000007);
      case arrow::Type::TIMESTAMP:
        return static_cast<arrow::TimestampBuilder&>(builder).Append(spread * 1000003);
      case arrow::Type::DOUBLE:
        return static_cast<arrow::DoubleBuilder&>(builder).Append(static_cast<double>(spread) / 3);
      case arrow::Type::STRING:
        return static_cast<arrow::StringBuilder&>(builder).Append(Text(kind, sample.text_length));
      case arrow::Type::BINARY:
        return static_cast<arrow::BinaryBuilder&>(builder).Append(Text(kind, sample.text_length) + "\xFF\xFE");
      case arrow::Type::DECIMAL128: {
        int digits = static_cast<const arrow::DecimalType&>(*sample.type).precision();
        auto value = arrow::Decimal128(spread);
        if (digits > 20) value *= arrow::Decimal128(INT64_C(1000000007));
        if (!value.FitsInPrecision(digits)) value = arrow::Decimal128(spread % 10);
        return static_cast<arrow::Decimal128Builder&>(builder).Append(value);
      }
      case arrow::Type::LIST:
        return AppendList(static_cast<arrow::ListBuilder&>(builder), sample);
      default:
        return arrow::Status::NotImplemented(sample.type->ToString());
    }
  }

  std::mt19937 random_;
};

inline std::vector<TypePtr> SampleTypes() {
  std::vector<TypePtr> types = {arrow::boolean(),
                                arrow::int8(),
                                arrow::int16(),
                                arrow::int32(),
                                arrow::int64(),
                                arrow::float64(),
                                arrow::date32(),
                                arrow::timestamp(arrow::TimeUnit::MICRO),
                                arrow::timestamp(arrow::TimeUnit::MICRO, "UTC"),
                                arrow::timestamp(arrow::TimeUnit::MICRO, "America/Sao_Paulo"),
                                arrow::utf8(),
                                arrow::binary(),
                                arrow::decimal128(4, 2),
                                arrow::decimal128(15, 2),
                                arrow::decimal128(20, 0),
                                arrow::decimal128(38, 6)};
  size_t plain = types.size();
  for (size_t i = 0; i < plain; ++i) types.push_back(arrow::list(types[i]));
  types.push_back(arrow::list(arrow::list(arrow::utf8())));
  types.push_back(arrow::list(arrow::list(arrow::list(arrow::int32()))));
  return types;
}

}  // namespace mutirao::formats::parquet_encode
