#include <cstring>

#include <arrow/api.h>
#include <arrow/io/memory.h>
#include <arrow/ipc/api.h>

#include "columnar/arrow_status.h"
#include "engine/memory/one_length_offsets.h"
#include "engine/memory/packed_batch.h"
#include "engine/memory/packed_form.h"

namespace mutirao::engine {
namespace {

using BufferPtr = std::shared_ptr<arrow::Buffer>;

// Bytes of somebody else, who is kept.
class OwnedBytes : public arrow::Buffer {
 public:
  OwnedBytes(const uint8_t* bytes, int64_t size, std::shared_ptr<const void> owner)
      : Buffer(bytes, size), owner_(std::move(owner)) {}

 private:
  const std::shared_ptr<const void> owner_;
};

class Unpacker {
 public:
  Unpacker(const arrow::Buffer& packed, int64_t rows, std::shared_ptr<const void> owner)
      : begin_(packed.data()), next_(begin_), end_(begin_ + packed.size()), rows_(rows), owner_(std::move(owner)) {}

  Result<ArrayPtr> Column(const std::shared_ptr<arrow::Field>& field) {
    const auto form = MUTIRAO_TRY(Get<PackedForm>());
    const Physical physical = PhysicalOf(*field->type());
    if (!Fits(form, physical)) return Damaged();
    if (form == PackedForm::kArrow) return ArrowColumn(field);
    const auto has_nulls = MUTIRAO_TRY(Get<uint8_t>());
    BufferPtr validity;
    if (has_nulls != 0) validity = MUTIRAO_TRY(Take(arrow::bit_util::BytesForBits(rows_)));
    BufferPtr values, texts;
    if (physical == Physical::kBytes) {
      values = MUTIRAO_TRY(OffsetsOf(form));
      texts = MUTIRAO_TRY(Refer(reinterpret_cast<const int32_t*>(values->data())[rows_]));
    } else if (form == PackedForm::kNarrow) {
      values = MUTIRAO_TRY(Decimals());
    } else if (form == PackedForm::kAligned) {
      values = MUTIRAO_TRY(TakeAligned(rows_ * FixedWidth(physical)));
    } else {
      values = MUTIRAO_TRY(
          Take(physical == Physical::kBool ? arrow::bit_util::BytesForBits(rows_) : rows_ * FixedWidth(physical)));
    }
    std::vector<BufferPtr> buffers = {std::move(validity), std::move(values)};
    if (texts != nullptr) buffers.push_back(std::move(texts));
    return arrow::MakeArray(arrow::ArrayData::Make(field->type(), rows_, std::move(buffers)));
  }

  bool at_end() const { return next_ == end_; }

 private:
  static Status Damaged() { return Status::Io("packed rows came back damaged"); }

  // No rows are written as plain ones.
  bool Fits(PackedForm form, Physical physical) const {
    switch (form) {
      case PackedForm::kPlain:
        return physical != Physical::kOther && (physical != Physical::kBytes || rows_ == 0);
      case PackedForm::kNarrow:
        return physical == Physical::kDecimal;
      case PackedForm::kOneLength:
      case PackedForm::kBytes:
      case PackedForm::kWords:
      case PackedForm::kOffsets:
        return physical == Physical::kBytes;
      case PackedForm::kArrow:
        return physical == Physical::kOther;
      case PackedForm::kAligned:
        return FixedWidth(physical) > 0;
    }
    return false;
  }

  Status Need(int64_t bytes) const { return bytes < 0 || end_ - next_ < bytes ? Damaged() : Status(); }

  template <typename T>
  Result<T> Get() {
    MUTIRAO_TRY(Need(sizeof(T)));
    T value;
    std::memcpy(&value, next_, sizeof value);
    next_ += sizeof value;
    return value;
  }

  Result<BufferPtr> Take(int64_t bytes) {
    MUTIRAO_TRY(Need(bytes));
    BufferPtr taken = MUTIRAO_TRY(arrow::AllocateBuffer(bytes));
    if (bytes > 0) std::memcpy(taken->mutable_data(), next_, static_cast<size_t>(bytes));
    next_ += bytes;
    return taken;
  }

  // Bytes that stay where they are when they have an owner.
  Result<BufferPtr> Refer(int64_t bytes) {
    if (owner_ == nullptr) return Take(bytes);
    MUTIRAO_TRY(Need(bytes));
    BufferPtr there = std::make_shared<OwnedBytes>(next_, bytes, owner_);
    next_ += bytes;
    return there;
  }

  Result<BufferPtr> TakeAligned(int64_t bytes) {
    const int64_t padding = (begin_ - next_) & (kPackedAlignment - 1);
    MUTIRAO_TRY(Need(padding));
    next_ += padding;
    const bool is_aligned = reinterpret_cast<uintptr_t>(next_) % kPackedAlignment == 0;
    return is_aligned ? Refer(bytes) : Take(bytes);
  }

  Result<BufferPtr> Decimals() {
    MUTIRAO_TRY(Need(rows_ * 8));
    BufferPtr values = MUTIRAO_TRY(arrow::AllocateBuffer(rows_ * static_cast<int64_t>(sizeof(Int128))));
    for (int64_t row = 0; row < rows_; ++row) {
      int64_t narrow;
      std::memcpy(&narrow, next_ + row * 8, sizeof narrow);
      const Int128 wide = narrow;
      std::memcpy(values->mutable_data() + row * 16, &wide, sizeof wide);
    }
    next_ += rows_ * 8;
    return values;
  }

  Result<BufferPtr> OneLength() {
    const auto length = MUTIRAO_TRY(Get<uint32_t>());
    if (rows_ * length > INT32_MAX) return Damaged();
    return OffsetsOfOneLength(length, rows_);
  }

  Result<BufferPtr> OffsetsOf(PackedForm form) {
    switch (form) {
      case PackedForm::kOneLength:
        return OneLength();
      case PackedForm::kOffsets:
        return Offsets();
      default:
        return SumsOfLengths(form);
    }
  }

  Result<BufferPtr> Offsets() {
    BufferPtr offsets = MUTIRAO_TRY(TakeAligned((rows_ + 1) * 4));
    const auto* const ends = reinterpret_cast<const int32_t*>(offsets->data());
    bool ordered = ends[0] == 0;
    for (int64_t row = 0; row < rows_; ++row) ordered &= ends[row] <= ends[row + 1];
    if (!ordered) return Damaged();
    return offsets;
  }

  Result<BufferPtr> SumsOfLengths(PackedForm form) {
    BufferPtr offsets = MUTIRAO_TRY(arrow::AllocateBuffer((rows_ + 1) * 4));
    auto* const ends = reinterpret_cast<int32_t*>(offsets->mutable_data());
    ends[0] = 0;
    const int64_t total =
        MUTIRAO_TRY(form == PackedForm::kBytes ? AddLengths<uint8_t>(ends) : AddLengths<uint32_t>(ends));
    if (total > INT32_MAX) return Damaged();
    return offsets;
  }

  // Gives the sum of the lengths, of which `ends` has no more than 31 bits.
  template <typename T>
  Result<int64_t> AddLengths(int32_t* ends) {
    const auto bytes = rows_ * static_cast<int64_t>(sizeof(T));
    MUTIRAO_TRY(Need(bytes));
    int64_t total = 0;
    for (int64_t row = 0; row < rows_; ++row) {
      T length;
      std::memcpy(&length, next_ + row * static_cast<int64_t>(sizeof(T)), sizeof(T));
      total += length;
      ends[row + 1] = static_cast<int32_t>(total);
    }
    next_ += bytes;
    return total;
  }

  Result<ArrayPtr> ArrowColumn(const std::shared_ptr<arrow::Field>& field) {
    const auto size = MUTIRAO_TRY(Get<int64_t>());
    BufferPtr message = MUTIRAO_TRY(Take(size));
    arrow::io::BufferReader reader(std::move(message));
    auto options = arrow::ipc::IpcReadOptions::Defaults();
    options.use_threads = false;
    BatchPtr alone = MUTIRAO_TRY(arrow::ipc::ReadRecordBatch(arrow::schema({field}), nullptr, options, &reader));
    if (alone->num_rows() != rows_ || !alone->ValidateFull().ok()) return Damaged();
    return alone->column(0);
  }

  const uint8_t* const begin_;
  const uint8_t* next_;
  const uint8_t* const end_;
  const int64_t rows_;
  const std::shared_ptr<const void> owner_;
};

}  // namespace

Result<BatchPtr> UnpackBatch(const arrow::Buffer& packed, int64_t rows, const SchemaPtr& schema,
                             std::shared_ptr<const void> owner) {
  Unpacker unpacker(packed, rows, std::move(owner));
  std::vector<ArrayPtr> columns;
  for (const auto& field : schema->fields()) {
    ArrayPtr column = MUTIRAO_TRY(unpacker.Column(field));
    columns.push_back(std::move(column));
  }
  if (!unpacker.at_end()) return Status::Io("packed rows came back damaged");
  return arrow::RecordBatch::Make(schema, rows, std::move(columns));
}

}  // namespace mutirao::engine
