#include "formats/parquet/decode/fixed_decoder.h"

#include <algorithm>
#include <cstring>
#include <vector>

#include <arrow/api.h>
#include <parquet/encoding.h>

#include "columnar/arrow_status.h"
#include "formats/parquet/decode/hybrid_reader.h"
#include "formats/parquet/decode/output_bits.h"

namespace mutirao::formats::parquet_decode {
namespace {

using Int128 = __int128;

Status Damaged() {
  return Status::Invalid("a page has fewer values than it says");
}

bool IsDictionary(parquet::Encoding::type encoding) {
  return encoding == parquet::Encoding::RLE_DICTIONARY || encoding == parquet::Encoding::PLAIN_DICTIONARY;
}

// Numbers of a physical type of Parquet that become `Out`s, which hold all of them.
template <typename ParquetType, typename Out>
class FixedDecoder : public ValueDecoder {
 public:
  using Stored = typename ParquetType::c_type;

  FixedDecoder(const parquet::ColumnDescriptor& column, TypePtr type) : column_(column), type_(std::move(type)) {}

  Status SetDictionary(std::span<const uint8_t> bytes, int32_t count) override {
    if (static_cast<size_t>(count) > bytes.size() / sizeof(Stored)) return Damaged();
    dictionary_.resize(static_cast<size_t>(count));
    for (size_t i = 0; i < dictionary_.size(); ++i) dictionary_[i] = Load(bytes.data(), i);
    return Status::Ok();
  }

  Status SetPage(parquet::Encoding::type encoding, std::span<const uint8_t> bytes, int64_t values) override {
    encoding_ = encoding;
    decoder_ = nullptr;
    plain_ = bytes;
    if (encoding == parquet::Encoding::PLAIN) return Status::Ok();
    if (IsDictionary(encoding)) {
      if (bytes.empty() && values > 0) return Damaged();
      if (!bytes.empty()) numbers_ = HybridReader(bytes.data() + 1, bytes.size() - 1, bytes[0]);
      return Status::Ok();
    }
    decoder_ = parquet::MakeTypedDecoder<ParquetType>(encoding, &column_);
    decoder_->SetData(static_cast<int>(values), bytes.data(), static_cast<int>(bytes.size()));
    return Status::Ok();
  }

  Status Append(size_t count, std::span<const uint32_t> picks) override {
    valid_.Append(picks);
    Out* const out = MUTIRAO_TRY(MakeRoom(picks.size()));
    const auto pick_from = [&](auto&& value_at) {
      for (size_t i = 0; i < picks.size(); ++i) out[i] = picks[i] == kNullPick ? Out{} : value_at(picks[i]);
    };
    if (encoding_ == parquet::Encoding::PLAIN) {
      const uint8_t* const from = MUTIRAO_TRY(TakePlain(count));
      pick_from([&](uint32_t pick) { return Load(from, pick); });
    } else if (IsDictionary(encoding_)) {
      MUTIRAO_TRY(ReadNumbers(count));
      pick_from([&](uint32_t pick) { return dictionary_[value_numbers_[pick]]; });
    } else {
      MUTIRAO_TRY(Decode(count));
      pick_from([&](uint32_t pick) { return static_cast<Out>(decoded_[pick]); });
    }
    return Status::Ok();
  }

  Status AppendAll(size_t count) override {
    valid_.AppendAll(count);
    Out* const out = MUTIRAO_TRY(MakeRoom(count));
    if (encoding_ == parquet::Encoding::PLAIN) {
      const uint8_t* const from = MUTIRAO_TRY(TakePlain(count));
      for (size_t i = 0; i < count; ++i) out[i] = Load(from, i);
    } else if (IsDictionary(encoding_)) {
      MUTIRAO_TRY(ReadNumbers(count));
      for (size_t i = 0; i < count; ++i) out[i] = dictionary_[value_numbers_[i]];
    } else {
      MUTIRAO_TRY(Decode(count));
      for (size_t i = 0; i < count; ++i) out[i] = static_cast<Out>(decoded_[i]);
    }
    return Status::Ok();
  }

  Result<ArrayPtr> Finish() override {
    const auto rows = static_cast<int64_t>(valid_.rows());
    const int64_t nulls = valid_.nulls();
    auto bitmap = MUTIRAO_TRY(valid_.Finish());
    MUTIRAO_TRY(MakeRoom(0));
    auto data = arrow::ArrayData::Make(type_, rows, {std::move(bitmap), std::move(values_)}, nulls);
    return arrow::MakeArray(std::move(data));
  }

 private:
  static Out Load(const uint8_t* bytes, size_t number) {
    Stored value;
    std::memcpy(&value, bytes + number * sizeof(Stored), sizeof(Stored));
    return static_cast<Out>(value);
  }

  Result<Out*> MakeRoom(size_t rows) {
    const auto more = static_cast<int64_t>(rows * sizeof(Out));
    const int64_t before = values_ == nullptr ? 0 : values_->size();
    if (values_ == nullptr) {
      values_ = MUTIRAO_TRY(arrow::AllocateResizableBuffer(more));
    } else if (more > 0) {
      MUTIRAO_TRY(values_->Resize(before + more, false));
    }
    return reinterpret_cast<Out*>(values_->mutable_data() + before);
  }

  Result<const uint8_t*> TakePlain(size_t count) {
    if (count > plain_.size() / sizeof(Stored)) return Damaged();
    const uint8_t* const from = plain_.data();
    plain_ = plain_.subspan(count * sizeof(Stored));
    return from;
  }

  Status ReadNumbers(size_t count) {
    value_numbers_.resize(count);
    if (!numbers_.Read(value_numbers_.data(), count)) return Damaged();
    uint32_t largest = 0;
    for (const uint32_t number : value_numbers_) largest = std::max(largest, number);
    if (count > 0 && largest >= dictionary_.size()) return Status::Invalid("a value's number is not in the dictionary");
    return Status::Ok();
  }

  Status Decode(size_t count) {
    decoded_.resize(count);
    const int decoded = decoder_->Decode(decoded_.data(), static_cast<int>(count));
    return decoded == static_cast<int>(count) ? Status::Ok() : Damaged();
  }

  const parquet::ColumnDescriptor& column_;
  const TypePtr type_;
  std::vector<Out> dictionary_;

  // Of the page.
  parquet::Encoding::type encoding_ = parquet::Encoding::PLAIN;
  std::span<const uint8_t> plain_;
  HybridReader numbers_;
  std::unique_ptr<parquet::TypedDecoder<ParquetType>> decoder_;

  // Of what was appended.
  ValidRows valid_;
  std::shared_ptr<arrow::ResizableBuffer> values_;

  // Reused.
  std::vector<uint32_t> value_numbers_;
  std::vector<Stored> decoded_;
};

// Decimals of a length in bytes, the highest byte first.
class DecimalBytesDecoder : public ValueDecoder {
 public:
  DecimalBytesDecoder(const parquet::ColumnDescriptor& column, TypePtr type)
      : length_(static_cast<size_t>(column.type_length())), type_(std::move(type)) {}

  Status SetDictionary(std::span<const uint8_t> bytes, int32_t count) override {
    if (static_cast<size_t>(count) > bytes.size() / length_) return Damaged();
    dictionary_.resize(static_cast<size_t>(count));
    for (size_t i = 0; i < dictionary_.size(); ++i) dictionary_[i] = Load(bytes.data() + i * length_);
    return Status::Ok();
  }

  Status SetPage(parquet::Encoding::type encoding, std::span<const uint8_t> bytes, int64_t) override {
    plain_ = bytes;
    is_plain_ = encoding == parquet::Encoding::PLAIN;
    if (is_plain_) return Status::Ok();
    if (!IsDictionary(encoding)) return Status::Unsupported("decimals of this encoding");
    numbers_ = bytes.empty() ? HybridReader() : HybridReader(bytes.data() + 1, bytes.size() - 1, bytes[0]);
    return Status::Ok();
  }

  Status Append(size_t count, std::span<const uint32_t> picks) override {
    valid_.Append(picks);
    MUTIRAO_TRY(Read(count));
    for (const uint32_t pick : picks) values_.push_back(pick == kNullPick ? 0 : read_[pick]);
    return Status::Ok();
  }

  Status AppendAll(size_t count) override {
    valid_.AppendAll(count);
    MUTIRAO_TRY(Read(count));
    values_.insert(values_.end(), read_.begin(), read_.end());
    return Status::Ok();
  }

  Result<ArrayPtr> Finish() override {
    const auto rows = static_cast<int64_t>(valid_.rows());
    const int64_t nulls = valid_.nulls();
    auto bitmap = MUTIRAO_TRY(valid_.Finish());
    std::shared_ptr<arrow::Buffer> values = arrow::Buffer::FromVector(std::move(values_));
    values_ = {};
    return arrow::MakeArray(arrow::ArrayData::Make(type_, rows, {std::move(bitmap), std::move(values)}, nulls));
  }

 private:
  Int128 Load(const uint8_t* bytes) const {
    auto value = static_cast<Int128>(static_cast<int8_t>(bytes[0]));
    for (size_t i = 1; i < length_; ++i) value = value * 256 + bytes[i];
    return value;
  }

  Status Read(size_t count) {
    read_.resize(count);
    if (is_plain_) {
      if (count > plain_.size() / length_) return Damaged();
      for (size_t i = 0; i < count; ++i) read_[i] = Load(plain_.data() + i * length_);
      plain_ = plain_.subspan(count * length_);
      return Status::Ok();
    }
    value_numbers_.resize(count);
    if (!numbers_.Read(value_numbers_.data(), count)) return Damaged();
    for (size_t i = 0; i < count; ++i) {
      if (value_numbers_[i] >= dictionary_.size()) return Status::Invalid("a value's number is not in the dictionary");
      read_[i] = dictionary_[value_numbers_[i]];
    }
    return Status::Ok();
  }

  const size_t length_;
  const TypePtr type_;
  std::vector<Int128> dictionary_;
  bool is_plain_ = true;
  std::span<const uint8_t> plain_;
  HybridReader numbers_;
  ValidRows valid_;
  std::vector<Int128> values_;
  std::vector<Int128> read_;
  std::vector<uint32_t> value_numbers_;
};

class BoolDecoder : public ValueDecoder {
 public:
  explicit BoolDecoder(const parquet::ColumnDescriptor& column) : column_(column) {}

  Status SetDictionary(std::span<const uint8_t>, int32_t) override {
    return Status::Unsupported("a dictionary of booleans");
  }
  Status SetPage(parquet::Encoding::type encoding, std::span<const uint8_t> bytes, int64_t values) override {
    decoder_ = parquet::MakeTypedDecoder<parquet::BooleanType>(encoding, &column_);
    decoder_->SetData(static_cast<int>(values), bytes.data(), static_cast<int>(bytes.size()));
    return Status::Ok();
  }
  Status Append(size_t count, std::span<const uint32_t> picks) override {
    valid_.Append(picks);
    MUTIRAO_TRY(Read(count));
    for (const uint32_t pick : picks) values_.push_back(pick == kNullPick || !read_[pick] ? 0 : 1);
    return Status::Ok();
  }
  Status AppendAll(size_t count) override {
    valid_.AppendAll(count);
    MUTIRAO_TRY(Read(count));
    values_.insert(values_.end(), read_.get(), read_.get() + count);
    return Status::Ok();
  }
  Result<ArrayPtr> Finish() override {
    const auto rows = static_cast<int64_t>(valid_.rows());
    const int64_t nulls = valid_.nulls();
    auto bitmap = MUTIRAO_TRY(valid_.Finish());
    auto values = MUTIRAO_TRY(PackBits(values_));
    values_.clear();
    return arrow::MakeArray(
        arrow::ArrayData::Make(arrow::boolean(), rows, {std::move(bitmap), std::move(values)}, nulls));
  }

 private:
  Status Read(size_t count) {
    read_ = std::make_unique<bool[]>(count);
    const int decoded = decoder_->Decode(read_.get(), static_cast<int>(count));
    return decoded == static_cast<int>(count) ? Status::Ok() : Damaged();
  }

  const parquet::ColumnDescriptor& column_;
  std::unique_ptr<parquet::BooleanDecoder> decoder_;
  ValidRows valid_;
  std::vector<uint8_t> values_;
  std::unique_ptr<bool[]> read_;
};

template <typename Out>
std::unique_ptr<ValueDecoder> OfIntegers(const parquet::ColumnDescriptor& column, TypePtr type) {
  if (column.physical_type() == parquet::Type::INT32) {
    return std::make_unique<FixedDecoder<parquet::Int32Type, Out>>(column, std::move(type));
  }
  if (column.physical_type() == parquet::Type::INT64 && sizeof(Out) >= sizeof(int64_t)) {
    return std::make_unique<FixedDecoder<parquet::Int64Type, Out>>(column, std::move(type));
  }
  return nullptr;
}

}  // namespace

std::unique_ptr<ValueDecoder> MakeFixedDecoder(const parquet::ColumnDescriptor& column, TypePtr type) {
  switch (type->id()) {
    case arrow::Type::INT8:
      return OfIntegers<int8_t>(column, std::move(type));
    case arrow::Type::INT16:
      return OfIntegers<int16_t>(column, std::move(type));
    case arrow::Type::INT32:
    case arrow::Type::DATE32:
      return OfIntegers<int32_t>(column, std::move(type));
    case arrow::Type::INT64:
    case arrow::Type::TIMESTAMP:
      if (column.physical_type() != parquet::Type::INT64) return nullptr;
      return OfIntegers<int64_t>(column, std::move(type));
    case arrow::Type::DECIMAL128:
      if (column.physical_type() == parquet::Type::FIXED_LEN_BYTE_ARRAY && column.type_length() >= 1 &&
          column.type_length() <= 16) {
        return std::make_unique<DecimalBytesDecoder>(column, std::move(type));
      }
      return OfIntegers<Int128>(column, std::move(type));
    case arrow::Type::DOUBLE:
      if (column.physical_type() != parquet::Type::DOUBLE) return nullptr;
      return std::make_unique<FixedDecoder<parquet::DoubleType, double>>(column, std::move(type));
    case arrow::Type::BOOL:
      if (column.physical_type() != parquet::Type::BOOLEAN) return nullptr;
      return std::make_unique<BoolDecoder>(column);
    default:
      return nullptr;
  }
}

}  // namespace mutirao::formats::parquet_decode
