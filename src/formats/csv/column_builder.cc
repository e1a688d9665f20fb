#include "formats/csv/column_builder.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <utility>

#include <arrow/api.h>
#include <arrow/util/bitmap_ops.h>

#include "columnar/arrow_status.h"
#include "formats/csv/converted_fields.h"
#include "formats/csv/scan_kernels.h"
#include "formats/csv/value_parser.h"

namespace mutirao::formats::csv {
namespace {

// Sets a bit for each byte that is 1 and not 0.
void PackBits(const uint8_t* bytes, size_t count, uint8_t* bits) {
  for (size_t i = 0; i < count; i += 8) {
    uint64_t eight = 0;
    std::memcpy(&eight, bytes + i, std::min<size_t>(8, count - i));
    bits[i / 8] = static_cast<uint8_t>(eight * 0x0102040810204080u >> 56);
  }
}

// Sets a bit for each text that has any bytes.
void PackNonEmpty(const int32_t* offsets, size_t count, uint8_t* bits) {
  constexpr size_t kTexts = 64;  // a constant, for a loop of vectors
  std::array<uint8_t, kTexts> present;
  size_t i = 0;
  for (; i + kTexts <= count; i += kTexts) {
    for (size_t k = 0; k < kTexts; ++k) present[k] = offsets[i + k] != offsets[i + k + 1];
    PackBits(present.data(), kTexts, bits + i / 8);
  }
  for (size_t k = i; k < count; ++k) present[k - i] = offsets[k] != offsets[k + 1];
  PackBits(present.data(), count - i, bits + i / 8);
}

// Strings are copied straight into Arrow's buffers.
class StringColumn : public ColumnBuilder {
 public:
  StringColumn(size_t index, const Dialect& dialect, SimdLevel level)
      : index_(index),
        reader_(dialect),
        copy_(KernelsOf(level).copy),
        quick_(!dialect.escapes() && reader_.only_empty_is_null()),
        empty_is_null_(reader_.empty_is_null()) {}

  void Convert(const RowIndex&, std::span<const uint32_t>, std::vector<ConversionFault>*) override {}

  Status Append(const RowIndex& rows, std::span<const uint32_t> selection, std::span<const uint32_t>) override {
    const size_t count = selection.size();
    uint8_t* valid = nullptr;
    if (!empty_is_null_) {
      valid_.resize(valid_.size() + count);
      valid = valid_.data() + valid_.size() - count;
    }
    int32_t* const ends = MUTIRAO_TRY(ExtendOffsets(count));
    if (capacity_ == 0) MUTIRAO_TRY(Grow(expected_));
    CopyJob job = JobFor(rows, selection, ends, valid);
    for (size_t i = 0; i < count; ++i) {
      if (quick_) i = copy_(job, i, &size_);
      if (i == count) break;
      const std::string_view field = rows.Field(selection[i], index_);
      const size_t room = size_ + field.size() * 3 + 2 * kCopySlack;
      if (room > capacity_) {
        MUTIRAO_TRY(Grow(room));
        job = JobFor(rows, selection, ends, valid);
      }
      const bool present = reader_.Append(field, text_, &size_, &scratch_);
      if (valid != nullptr) valid[i] = present;
      ends[i] = static_cast<int32_t>(size_);
    }
    if (size_ > size_t{1} << 30) return Status::Exhausted("a column of one batch holds more than 1 GiB of text");
    return Status::Ok();
  }

  Result<ArrayPtr> Finish() override {
    if (!buffer_) MUTIRAO_TRY(Grow(64));
    // Capacity that is not needed is given back where it is much: a batch may live much longer than the scan.
    const bool shrink = capacity_ - size_ > capacity_ / 8 + 1024;
    MUTIRAO_TRY(buffer_->Resize(static_cast<int64_t>(size_), shrink));
    MUTIRAO_TRY(ExtendOffsets(0));
    const int64_t rows = offsets_.length() - 1;
    int64_t nulls = 0;
    auto bitmap = MUTIRAO_TRY(Validity(rows, &nulls));
    auto offsets = MUTIRAO_TRY(offsets_.Finish());
    auto array =
        std::make_shared<arrow::StringArray>(rows, std::move(offsets), std::move(buffer_), std::move(bitmap), nulls);
    buffer_ = nullptr;
    expected_rows_ = rows;
    valid_.clear();
    // The next batch is probably like this one.
    expected_ = size_ + size_ / 16 + 2 * kCopySlack;
    size_ = capacity_ = 0;
    return ArrayPtr(std::move(array));
  }

 private:
  CopyJob JobFor(const RowIndex& rows, std::span<const uint32_t> selection, int32_t* ends, uint8_t* valid) const {
    const Dialect& dialect = reader_.dialect();
    const bool one_byte = dialect.encoding != Encoding::kUtf8 && !IsUtf16(dialect.encoding);
    const bool all = !selection.empty() && selection.back() - selection.front() + 1 == selection.size();
    return {.data = rows.data(),
            .starts = rows.starts(),
            .ends = rows.ends(),
            .width = rows.width(),
            .column = index_,
            .rows = all ? nullptr : selection.data(),
            .first_row = all ? selection.front() : 0,
            .count = selection.size(),
            .quoting = dialect.quote >= 0,
            .quote = dialect.quote >= 0 ? static_cast<char>(dialect.quote) : '\0',
            .ascii = one_byte,
            .empty_is_null = empty_is_null_,
            .out = text_,
            .capacity = capacity_,
            .text_ends = ends,
            .valid = valid};
  }

  // The bitmap of the rows, null when none of them is. Where empty texts are nulls, no other text takes no bytes.
  Result<std::shared_ptr<arrow::Buffer>> Validity(int64_t rows, int64_t* nulls) const {
    auto bitmap = MUTIRAO_TRY(arrow::AllocateEmptyBitmap(rows));
    const auto count = static_cast<size_t>(rows);
    if (empty_is_null_) {
      PackNonEmpty(offsets_.data(), count, bitmap->mutable_data());
    } else {
      PackBits(valid_.data(), count, bitmap->mutable_data());
    }
    *nulls = rows - arrow::internal::CountSetBits(bitmap->data(), 0, rows);
    if (*nulls == 0) bitmap = nullptr;
    return bitmap;
  }

  // Makes room for the ends of so many more texts, which are not set; gives where they start.
  Result<int32_t*> ExtendOffsets(size_t count) {
    if (offsets_.length() == 0) {
      MUTIRAO_TRY(offsets_.Reserve(std::max(expected_rows_, static_cast<int64_t>(count)) + 1));
      offsets_.UnsafeAppend(0);
    }
    MUTIRAO_TRY(offsets_.Reserve(static_cast<int64_t>(count)));
    int32_t* const ends = offsets_.mutable_data() + offsets_.length();
    offsets_.bytes_builder()->UnsafeAdvance(static_cast<int64_t>(count * sizeof(int32_t)));
    return ends;
  }

  Status Grow(size_t room) {
    capacity_ = std::max({room, capacity_ * 2, size_t{1} << 10});
    if (!buffer_) {
      buffer_ = MUTIRAO_TRY(arrow::AllocateResizableBuffer(static_cast<int64_t>(capacity_)));
    } else {
      MUTIRAO_TRY(buffer_->Resize(static_cast<int64_t>(capacity_), false));
    }
    text_ = reinterpret_cast<char*>(buffer_->mutable_data());
    return Status::Ok();
  }

  size_t index_;
  FieldReader reader_;
  decltype(ScanKernels::copy) copy_;
  bool quick_;  // most fields may be copied as they stand
  bool empty_is_null_;
  std::string scratch_;
  std::shared_ptr<arrow::ResizableBuffer> buffer_;
  char* text_ = nullptr;  // the buffer's bytes
  size_t size_ = 0;
  size_t capacity_ = 0;
  size_t expected_ = size_t{64} << 10;
  arrow::TypedBufferBuilder<int32_t> offsets_;
  int64_t expected_rows_ = 0;
  std::vector<uint8_t> valid_;  // one a row, unless empty texts are nulls
};

class TypedColumn : public ColumnBuilder {
 public:
  TypedColumn(size_t index, const Dialect& dialect, std::unique_ptr<const ValueParser> parser,
              std::unique_ptr<arrow::ArrayBuilder> builder, bool null_bad, int64_t* values_nulled)
      : index_(index),
        reader_(dialect),
        parser_(std::move(parser)),
        builder_(std::move(builder)),
        null_bad_(null_bad),
        values_nulled_(values_nulled) {}

  void Convert(const RowIndex& rows, std::span<const uint32_t> selection,
               std::vector<ConversionFault>* faults) override {
    fields_.Resize(selection.size());
    std::string_view text;
    for (size_t i = 0; i < selection.size(); ++i) {
      if (!reader_.Read(rows.Field(selection[i], index_), &scratch_, &text)) {
        fields_.states[i] = FieldState::kNull;
      } else if (parser_->Parse(text, &fields_.values[i])) {
        fields_.states[i] = FieldState::kValue;
      } else {
        fields_.states[i] = FieldState::kBad;
        if (!null_bad_) faults->push_back({i, std::string(text)});
      }
    }
  }

  Status Append(const RowIndex&, std::span<const uint32_t>, std::span<const uint32_t> places) override {
    MUTIRAO_TRY(builder_->Reserve(static_cast<int64_t>(places.size())));
    switch (builder_->type()->id()) {
      case arrow::Type::INT8:
        return AppendAll<arrow::Int8Builder>(places, Integer<int8_t>);
      case arrow::Type::INT16:
        return AppendAll<arrow::Int16Builder>(places, Integer<int16_t>);
      case arrow::Type::INT32:
        return AppendAll<arrow::Int32Builder>(places, Integer<int32_t>);
      case arrow::Type::INT64:
        return AppendAll<arrow::Int64Builder>(places, Integer<int64_t>);
      case arrow::Type::BOOL:
        return AppendAll<arrow::BooleanBuilder>(places, [](const ParsedValue& v) { return v.integer != 0; });
      case arrow::Type::DOUBLE:
        return AppendAll<arrow::DoubleBuilder>(places, [](const ParsedValue& v) { return v.real; });
      case arrow::Type::DATE32:
        return AppendAll<arrow::Date32Builder>(places, Integer<int32_t>);
      case arrow::Type::TIMESTAMP:
        return AppendAll<arrow::TimestampBuilder>(places, Integer<int64_t>);
      default:
        return AppendAll<arrow::Decimal128Builder>(places, [](const ParsedValue& v) {
          return arrow::Decimal128(static_cast<int64_t>(v.decimal >> 64), static_cast<uint64_t>(v.decimal));
        });
    }
  }

  Result<ArrayPtr> Finish() override { return MUTIRAO_TRY(builder_->Finish()); }

 private:
  template <typename T>
  static T Integer(const ParsedValue& value) {
    return static_cast<T>(value.integer);
  }

  // REQUIRES: room is reserved.
  template <typename Builder, typename Get>
  Status AppendAll(std::span<const uint32_t> places, Get get) {
    auto& builder = static_cast<Builder&>(*builder_);
    for (const uint32_t place : places) {
      if (fields_.states[place] == FieldState::kValue) {
        builder.UnsafeAppend(get(fields_.values[place]));
        continue;
      }
      if (fields_.states[place] == FieldState::kBad) ++*values_nulled_;
      builder.UnsafeAppendNull();
    }
    return Status::Ok();
  }

  size_t index_;
  FieldReader reader_;
  std::unique_ptr<const ValueParser> parser_;
  std::unique_ptr<arrow::ArrayBuilder> builder_;
  bool null_bad_;
  int64_t* values_nulled_;
  std::string scratch_;
  ConvertedFields fields_;
};

}  // namespace

Result<std::unique_ptr<ColumnBuilder>> MakeColumnBuilder(const ColumnSpec& column, size_t index, const Dialect& dialect,
                                                         SimdLevel level, bool null_bad, int64_t* values_nulled) {
  if (column.type->id() == arrow::Type::STRING) {
    return std::unique_ptr<ColumnBuilder>(std::make_unique<StringColumn>(index, dialect, level));
  }
  auto parser = MUTIRAO_TRY(ValueParser::Make(column));
  auto builder = MUTIRAO_TRY(arrow::MakeBuilder(column.type));
  return std::unique_ptr<ColumnBuilder>(
      std::make_unique<TypedColumn>(index, dialect, std::move(parser), std::move(builder), null_bad, values_nulled));
}

}  // namespace mutirao::formats::csv
