#include "engine/memory/packed_batch.h"

#include <algorithm>
#include <cstring>

#include <arrow/api.h>
#include <arrow/ipc/api.h>
#include <arrow/util/bitmap_ops.h>

#include "columnar/arrow_status.h"
#include "engine/memory/one_length_offsets.h"
#include "engine/memory/packed_form.h"

namespace mutirao::engine {
namespace {

using BufferPtr = std::shared_ptr<arrow::Buffer>;

class Packer {
 public:
  Packer(const arrow::RecordBatch& batch, Packing packing)
      : batch_(batch), rows_(batch.num_rows()), is_mapped_(packing == Packing::kMapped) {}

  Result<PackedBatch> Pack() {
    int64_t room = 0;
    for (int i = 0; i < batch_.num_columns(); ++i) {
      MUTIRAO_TRY(Choose(i));
      room += columns_.back().made;
    }
    std::shared_ptr<arrow::Buffer> made = MUTIRAO_TRY(arrow::AllocateBuffer(room));
    next_ = made->mutable_data();
    packed_.owners.push_back(std::move(made));
    for (const Column& column : columns_) PackColumn(column);
    return std::move(packed_);
  }

 private:
  struct Column {
    const arrow::ArrayData* data;
    Physical physical;
    Validity valid;
    PackedForm form;
    uint32_t length;    // of every text, where they have one
    BufferPtr message;  // of Arrow's
    int64_t made;       // bytes that do not lie in memory as they are written, at most
  };

  // Find out how a column is written.
  Status Choose(int number) {
    const arrow::ArrayData& data = *batch_.column_data(number);
    Column& column =
        columns_.emplace_back(Column{&data, PhysicalOf(*data.type), Validity(data), PackedForm::kPlain, 0, nullptr, 0});
    column.made = 2 * kPackedAlignment + (column.valid.all_valid() ? 0 : arrow::bit_util::BytesForBits(rows_));
    if (column.physical == Physical::kOther) {
      const auto schema = arrow::schema({batch_.schema()->field(number)});
      const auto alone = arrow::RecordBatch::Make(schema, rows_, {batch_.column(number)});
      column.message = MUTIRAO_TRY(arrow::ipc::SerializeRecordBatch(*alone, arrow::ipc::IpcWriteOptions::Defaults()));
      column.form = PackedForm::kArrow;
    } else if (rows_ == 0) {
      return {};
    } else if (column.physical == Physical::kBytes) {
      ChooseForTexts(column, BytesView(data));
    } else if (column.physical == Physical::kBool) {
      column.made += arrow::bit_util::BytesForBits(rows_);
    } else if (is_mapped_) {
      column.form = PackedForm::kAligned;
    } else if (column.physical == Physical::kDecimal && AreNarrow(FixedView<Int128>(data))) {
      column.form = PackedForm::kNarrow;
      column.made += rows_ * 8;
    }
    return {};
  }

  void ChooseForTexts(Column& column, const BytesView& view) const {
    uint32_t longest = 0;
    uint32_t shortest = UINT32_MAX;
    for (int64_t row = 0; row < rows_; ++row) {
      longest = std::max(longest, view.length(row));
      shortest = std::min(shortest, view.length(row));
    }
    column.length = longest;
    if (shortest == longest && (!is_mapped_ || SharesOffsets(longest, rows_))) {
      column.form = PackedForm::kOneLength;
    } else if (is_mapped_) {
      column.form = PackedForm::kOffsets;
      column.made += view.offsets[0] == 0 ? 0 : (rows_ + 1) * 4;
    } else {
      column.form = longest <= UINT8_MAX ? PackedForm::kBytes : PackedForm::kWords;
      column.made += rows_ * (column.form == PackedForm::kBytes ? 1 : 4);
    }
  }

  bool AreNarrow(const FixedView<Int128>& view) const {
    bool fits = true;
    for (int64_t row = 0; row < rows_; ++row) fits &= view[row] == static_cast<int64_t>(view[row]);
    return fits;
  }

  void PackColumn(const Column& column) {
    Put(column.form);
    if (column.form == PackedForm::kArrow) {
      Put(column.message->size());
      return Refer(column.message, column.message->data(), column.message->size());
    }
    Put(static_cast<uint8_t>(column.valid.all_valid() ? 0 : 1));
    if (!column.valid.all_valid()) PutBits(column.valid.bits, column.valid.offset);
    if (rows_ == 0) return;
    const arrow::ArrayData& data = *column.data;
    if (column.physical == Physical::kBytes) {
      PackTexts(column, BytesView(data));
    } else if (column.form == PackedForm::kNarrow) {
      const FixedView<Int128> view(data);
      PutEach<int64_t>(rows_, [&](int64_t row) { return static_cast<int64_t>(view[row]); });
    } else if (column.physical == Physical::kBool) {
      PutBits(data.buffers[1]->data(), data.offset);
    } else {
      if (column.form == PackedForm::kAligned) Align();
      const int64_t width = FixedWidth(column.physical);
      Refer(data.buffers[1], data.buffers[1]->data() + data.offset * width, rows_ * width);
    }
  }

  void PackTexts(const Column& column, const BytesView& view) {
    const int32_t first = view.offsets[0];
    switch (column.form) {
      case PackedForm::kOneLength:
        Put(column.length);
        break;
      case PackedForm::kBytes:
        PutEach<uint8_t>(rows_, [&](int64_t row) { return static_cast<uint8_t>(view.length(row)); });
        break;
      case PackedForm::kOffsets:
        Align();
        if (first == 0) {
          Refer(column.data->buffers[1], reinterpret_cast<const uint8_t*>(view.offsets), (rows_ + 1) * 4);
        } else {
          PutEach<int32_t>(rows_ + 1, [&](int64_t row) { return view.offsets[row] - first; });
        }
        break;
      default:
        PutEach<uint32_t>(rows_, [&](int64_t row) { return view.length(row); });
    }
    Refer(column.data->buffers[2], view.data(0), view.offsets[rows_] - first);
  }

  // Pieces that lie behind each other in memory become one.
  void Add(const uint8_t* data, int64_t size) {
    const auto* const bytes = reinterpret_cast<const std::byte*>(data);
    const auto more = static_cast<size_t>(size);
    packed_.bytes += size;
    if (auto& pieces = packed_.pieces; !pieces.empty() && pieces.back().data() + pieces.back().size() == bytes) {
      pieces.back() = {pieces.back().data(), pieces.back().size() + more};
    } else {
      pieces.emplace_back(bytes, more);
    }
  }
  void Refer(const BufferPtr& buffer, const uint8_t* data, int64_t size) {
    if (size == 0) return;
    packed_.owners.push_back(buffer);
    Add(data, size);
  }
  void Align() {
    while (packed_.bytes % kPackedAlignment != 0) Put(uint8_t{0});
  }
  // Room for bytes that do not lie in memory yet.
  uint8_t* Make(int64_t size) {
    uint8_t* const made = next_;
    Add(made, size);
    next_ += size;
    return made;
  }
  template <typename T>
  void Put(T value) {
    std::memcpy(Make(sizeof value), &value, sizeof value);
  }
  template <typename T, typename F>
  void PutEach(int64_t count, F&& value_at) {
    constexpr auto kWidth = static_cast<int64_t>(sizeof(T));
    uint8_t* const made = Make(count * kWidth);
    for (int64_t i = 0; i < count; ++i) {
      const T value = value_at(i);
      std::memcpy(made + i * kWidth, &value, sizeof value);
    }
  }
  void PutBits(const uint8_t* bits, int64_t offset) {
    const int64_t bytes = arrow::bit_util::BytesForBits(rows_);
    uint8_t* const made = Make(bytes);
    if (bytes > 0) made[bytes - 1] = 0;
    arrow::internal::CopyBitmap(bits, offset, rows_, made, 0);
  }

  const arrow::RecordBatch& batch_;
  const int64_t rows_;
  const bool is_mapped_;
  std::vector<Column> columns_;
  PackedBatch packed_;
  uint8_t* next_ = nullptr;  // of what is made
};

}  // namespace

Result<PackedBatch> PackBatch(const arrow::RecordBatch& batch, Packing packing) {
  return Packer(batch, packing).Pack();
}

}  // namespace mutirao::engine
