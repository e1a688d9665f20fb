#include "formats/csv/column_builder.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include <arrow/api.h>

#include "columnar/arrow_status.h"
#include "formats/csv/value_parser.h"

namespace mutirao::formats::csv {
namespace {

// Strings are copied straight into Arrow's buffers.
class StringColumn : public ColumnBuilder {
 public:
  StringColumn(size_t index, const Dialect& dialect) : index_(index), reader_(dialect) { offsets_.push_back(0); }

  void Convert(const RowIndex&, const std::vector<uint32_t>&, std::vector<ConversionFault>*) override {}

  Status Append(const RowIndex& rows, const std::vector<uint32_t>& selection, const std::vector<uint32_t>*) override {
    const size_t before = valid_.size();
    valid_.resize(before + selection.size());
    offsets_.resize(offsets_.size() + selection.size());
    uint8_t* valid = valid_.data() + before;
    int32_t* ends = offsets_.data() + before + 1;
    size_t size = size_;
    size_t good = 0;
    for (const uint32_t row : selection) {
      const std::string_view field = rows.Field(row, index_);
      const size_t room = size + field.size() * 3 + 64;
      if (room > capacity_) MUTIRAO_TRY(Grow(room));
      const bool is_valid = reader_.Append(field, text_, &size, &scratch_);
      *valid++ = is_valid;
      good += is_valid;
      *ends++ = static_cast<int32_t>(size);
    }
    size_ = size;
    nulls_ += static_cast<int64_t>(selection.size() - good);
    if (size_ > size_t{1} << 30) return Status::Exhausted("a column of one batch holds more than 1 GiB of text");
    return Status::Ok();
  }

  Result<ArrayPtr> Finish() override {
    const auto rows = static_cast<int64_t>(valid_.size());
    if (!buffer_) MUTIRAO_TRY(Grow(64));
    // Capacity that is not needed is given back: a batch may live much longer than the scan.
    MUTIRAO_TRY(buffer_->Resize(static_cast<int64_t>(size_), true));
    std::shared_ptr<arrow::Buffer> bitmap;
    if (nulls_ > 0) {
      bitmap = MUTIRAO_TRY(arrow::AllocateEmptyBitmap(rows));
      uint8_t* bits = bitmap->mutable_data();
      for (size_t i = 0; i < valid_.size(); ++i) bits[i / 8] |= static_cast<uint8_t>(valid_[i] << (i % 8));
    }
    auto array = std::make_shared<arrow::StringArray>(rows, arrow::Buffer::FromVector(std::move(offsets_)),
                                                      std::move(buffer_), std::move(bitmap), nulls_);
    offsets_ = {0};
    buffer_ = nullptr;
    valid_.clear();
    size_ = capacity_ = 0;
    nulls_ = 0;
    return ArrayPtr(std::move(array));
  }

 private:
  Status Grow(size_t room) {
    capacity_ = std::max({room, capacity_ * 2, size_t{64} << 10});
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
  std::string scratch_;
  std::shared_ptr<arrow::ResizableBuffer> buffer_;
  char* text_ = nullptr;  // the buffer's bytes
  size_t size_ = 0;
  size_t capacity_ = 0;
  std::vector<int32_t> offsets_;
  std::vector<uint8_t> valid_;
  int64_t nulls_ = 0;
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

  void Convert(const RowIndex& rows, const std::vector<uint32_t>& selection,
               std::vector<ConversionFault>* faults) override {
    values_.resize(selection.size());
    states_.resize(selection.size());
    std::string_view text;
    for (size_t i = 0; i < selection.size(); ++i) {
      if (!reader_.Read(rows.Field(selection[i], index_), &scratch_, &text)) {
        states_[i] = kNull;
      } else if (parser_->Parse(text, &values_[i])) {
        states_[i] = kValue;
      } else {
        states_[i] = kBad;
        if (!null_bad_) faults->push_back({i, std::string(text)});
      }
    }
  }

  Status Append(const RowIndex&, const std::vector<uint32_t>& selection, const std::vector<uint32_t>* kept) override {
    MUTIRAO_TRY(builder_->Reserve(static_cast<int64_t>(selection.size())));
    for (size_t i = 0; i < selection.size(); ++i) {
      const size_t place = kept != nullptr ? (*kept)[i] : i;
      if (states_[place] == kValue) {
        MUTIRAO_TRY(AppendValue(values_[place]));
        continue;
      }
      if (states_[place] == kBad) ++*values_nulled_;
      MUTIRAO_TRY(builder_->AppendNull());
    }
    return Status::Ok();
  }

  Result<ArrayPtr> Finish() override { return MUTIRAO_TRY(builder_->Finish()); }

 private:
  enum State : uint8_t { kValue, kNull, kBad };

  Status AppendValue(const ParsedValue& value) {
    switch (builder_->type()->id()) {
      case arrow::Type::INT8:
        return Put<arrow::Int8Builder>(static_cast<int8_t>(value.integer));
      case arrow::Type::INT16:
        return Put<arrow::Int16Builder>(static_cast<int16_t>(value.integer));
      case arrow::Type::INT32:
        return Put<arrow::Int32Builder>(static_cast<int32_t>(value.integer));
      case arrow::Type::INT64:
        return Put<arrow::Int64Builder>(value.integer);
      case arrow::Type::BOOL:
        return Put<arrow::BooleanBuilder>(value.integer != 0);
      case arrow::Type::DOUBLE:
        return Put<arrow::DoubleBuilder>(value.real);
      case arrow::Type::DATE32:
        return Put<arrow::Date32Builder>(static_cast<int32_t>(value.integer));
      case arrow::Type::TIMESTAMP:
        return Put<arrow::TimestampBuilder>(value.integer);
      default:
        return Put<arrow::Decimal128Builder>(
            arrow::Decimal128(static_cast<int64_t>(value.decimal >> 64), static_cast<uint64_t>(value.decimal)));
    }
  }

  template <typename Builder, typename Value>
  Status Put(const Value& value) {
    MUTIRAO_TRY(static_cast<Builder*>(builder_.get())->Append(value));
    return Status::Ok();
  }

  size_t index_;
  FieldReader reader_;
  std::unique_ptr<const ValueParser> parser_;
  std::unique_ptr<arrow::ArrayBuilder> builder_;
  bool null_bad_;
  int64_t* values_nulled_;
  std::string scratch_;
  std::vector<ParsedValue> values_;
  std::vector<State> states_;
};

}  // namespace

Result<std::unique_ptr<ColumnBuilder>> MakeColumnBuilder(const ColumnSpec& column, size_t index, const Dialect& dialect,
                                                         bool null_bad, int64_t* values_nulled) {
  if (column.type->id() == arrow::Type::STRING) {
    return std::unique_ptr<ColumnBuilder>(std::make_unique<StringColumn>(index, dialect));
  }
  auto parser = MUTIRAO_TRY(ValueParser::Make(column));
  auto builder = MUTIRAO_TRY(arrow::MakeBuilder(column.type));
  return std::unique_ptr<ColumnBuilder>(
      std::make_unique<TypedColumn>(index, dialect, std::move(parser), std::move(builder), null_bad, values_nulled));
}

}  // namespace mutirao::formats::csv
