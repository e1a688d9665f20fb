#include "engine/memory/packed_batch.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>
#include <mutex>

#include <arrow/api.h>
#include <arrow/io/memory.h>
#include <arrow/ipc/api.h>
#include <arrow/util/bitmap_ops.h>

#include "columnar/arrow_status.h"
#include "engine/rows/column_view.h"

namespace mutirao::engine {
namespace {

using BufferPtr = std::shared_ptr<arrow::Buffer>;

// How a column lies in the packed bytes, behind its validity.
enum class Form : uint8_t {
  kPlain,      // the values
  kNarrow,     // decimals as int64
  kOneLength,  // the length of every text, then the texts
  kBytes,      // the length of each text in a byte, then the texts
  kWords,      // the same in four bytes
  kArrow,      // a message of Arrow's, for types without a form of their own
  kAligned,    // the values, from the next multiple of kPackedAlignment on
  kOffsets,    // the same with offsets in four bytes, one more than there are texts; then the texts
};

int WidthOf(Physical physical) {
  switch (physical) {
    case Physical::kInt8:
      return 1;
    case Physical::kInt16:
      return 2;
    case Physical::kInt32:
      return 4;
    case Physical::kInt64:
    case Physical::kDouble:
      return 8;
    case Physical::kDecimal:
      return 16;
    default:
      return 0;
  }
}

int64_t BitBytes(int64_t rows) {
  return (rows + 7) / 8;
}

// Texts of one length share their offsets with those of other batches when they are so short, and so many.
constexpr uint32_t kSharedLengths = 32;
constexpr int64_t kLeastShared = int64_t{1} << 10;
constexpr int64_t kMostShared = int64_t{1} << 16;

bool SharesOffsets(uint32_t length, int64_t rows) {
  return length < kSharedLengths && rows >= kLeastShared && rows <= kMostShared;
}

Result<BufferPtr> MakeOffsets(uint32_t length, int64_t rows) {
  BufferPtr offsets = MUTIRAO_TRY(arrow::AllocateBuffer((rows + 1) * 4));
  auto* const ends = reinterpret_cast<int32_t*>(offsets->mutable_data());
  for (int64_t row = 0; row <= rows; ++row) ends[row] = static_cast<int32_t>(row * length);
  return offsets;
}

// Those for a power of two of rows serve up to half as many; longer ones would be taken for memory that a few rows
// keep. They are made once and stay, so that nobody has to know who was the last to use them: 16 MiB at the very most.
// Threads: any.
Result<BufferPtr> OffsetsOfOneLength(uint32_t length, int64_t rows) {
  if (!SharesOffsets(length, rows)) return MakeOffsets(length, rows);
  static constexpr auto kSizes = static_cast<size_t>(std::bit_width(static_cast<uint64_t>(kMostShared)));
  static std::mutex mutex;
  static auto& shared = *new std::array<std::array<BufferPtr, kSizes>, kSharedLengths>();
  const auto room = std::bit_ceil(static_cast<uint64_t>(rows));
  const std::lock_guard lock(mutex);
  BufferPtr& offsets = shared[length][static_cast<size_t>(std::countr_zero(room))];
  if (offsets == nullptr) offsets = MUTIRAO_TRY(MakeOffsets(length, static_cast<int64_t>(room)));
  return offsets;
}

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
    Form form;
    uint32_t length;    // of every text, where they have one
    BufferPtr message;  // of Arrow's
    int64_t made;       // bytes that do not lie in memory as they are written, at most
  };

  // Find out how a column is written.
  Status Choose(int number) {
    const arrow::ArrayData& data = *batch_.column_data(number);
    Column& column =
        columns_.emplace_back(Column{&data, PhysicalOf(*data.type), Validity(data), Form::kPlain, 0, nullptr, 0});
    column.made = 2 * kPackedAlignment + (column.valid.all_valid() ? 0 : BitBytes(rows_));
    if (column.physical == Physical::kOther) {
      const auto schema = arrow::schema({batch_.schema()->field(number)});
      const auto alone = arrow::RecordBatch::Make(schema, rows_, {batch_.column(number)});
      column.message = MUTIRAO_TRY(arrow::ipc::SerializeRecordBatch(*alone, arrow::ipc::IpcWriteOptions::Defaults()));
      column.form = Form::kArrow;
    } else if (rows_ == 0) {
      return {};
    } else if (column.physical == Physical::kBytes) {
      ChooseForTexts(column, BytesView(data));
    } else if (column.physical == Physical::kBool) {
      column.made += BitBytes(rows_);
    } else if (is_mapped_) {
      column.form = Form::kAligned;
    } else if (column.physical == Physical::kDecimal && AreNarrow(FixedView<Int128>(data))) {
      column.form = Form::kNarrow;
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
      column.form = Form::kOneLength;
    } else if (is_mapped_) {
      column.form = Form::kOffsets;
      column.made += view.offsets[0] == 0 ? 0 : (rows_ + 1) * 4;
    } else {
      column.form = longest <= UINT8_MAX ? Form::kBytes : Form::kWords;
      column.made += rows_ * (column.form == Form::kBytes ? 1 : 4);
    }
  }

  bool AreNarrow(const FixedView<Int128>& view) const {
    bool fits = true;
    for (int64_t row = 0; row < rows_; ++row) fits &= view[row] == static_cast<int64_t>(view[row]);
    return fits;
  }

  void PackColumn(const Column& column) {
    Put(column.form);
    if (column.form == Form::kArrow) {
      Put(column.message->size());
      return Refer(column.message, column.message->data(), column.message->size());
    }
    Put(static_cast<uint8_t>(column.valid.all_valid() ? 0 : 1));
    if (!column.valid.all_valid()) PutBits(column.valid.bits, column.valid.offset);
    if (rows_ == 0) return;
    const arrow::ArrayData& data = *column.data;
    if (column.physical == Physical::kBytes) {
      PackTexts(column, BytesView(data));
    } else if (column.form == Form::kNarrow) {
      const FixedView<Int128> view(data);
      PutEach<int64_t>(rows_, [&](int64_t row) { return static_cast<int64_t>(view[row]); });
    } else if (column.physical == Physical::kBool) {
      PutBits(data.buffers[1]->data(), data.offset);
    } else {
      if (column.form == Form::kAligned) Align();
      const int64_t width = WidthOf(column.physical);
      Refer(data.buffers[1], data.buffers[1]->data() + data.offset * width, rows_ * width);
    }
  }

  void PackTexts(const Column& column, const BytesView& view) {
    const int32_t first = view.offsets[0];
    switch (column.form) {
      case Form::kOneLength:
        Put(column.length);
        break;
      case Form::kBytes:
        PutEach<uint8_t>(rows_, [&](int64_t row) { return static_cast<uint8_t>(view.length(row)); });
        break;
      case Form::kOffsets:
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
    const int64_t bytes = BitBytes(rows_);
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
    const auto form = MUTIRAO_TRY(Get<Form>());
    const Physical physical = PhysicalOf(*field->type());
    if (!Fits(form, physical)) return Damaged();
    if (form == Form::kArrow) return ArrowColumn(field);
    const auto has_nulls = MUTIRAO_TRY(Get<uint8_t>());
    BufferPtr validity;
    if (has_nulls != 0) validity = MUTIRAO_TRY(Take(BitBytes(rows_)));
    BufferPtr values, texts;
    if (physical == Physical::kBytes) {
      values = MUTIRAO_TRY(OffsetsOf(form));
      texts = MUTIRAO_TRY(Refer(reinterpret_cast<const int32_t*>(values->data())[rows_]));
    } else if (form == Form::kNarrow) {
      values = MUTIRAO_TRY(Decimals());
    } else if (form == Form::kAligned) {
      values = MUTIRAO_TRY(TakeAligned(rows_ * WidthOf(physical)));
    } else {
      values = MUTIRAO_TRY(Take(physical == Physical::kBool ? BitBytes(rows_) : rows_ * WidthOf(physical)));
    }
    std::vector<BufferPtr> buffers = {std::move(validity), std::move(values)};
    if (texts != nullptr) buffers.push_back(std::move(texts));
    return arrow::MakeArray(arrow::ArrayData::Make(field->type(), rows_, std::move(buffers)));
  }

  bool at_end() const { return next_ == end_; }

 private:
  static Status Damaged() { return Status::Io("packed rows came back damaged"); }

  // No rows are written as plain ones.
  bool Fits(Form form, Physical physical) const {
    switch (form) {
      case Form::kPlain:
        return physical != Physical::kOther && (physical != Physical::kBytes || rows_ == 0);
      case Form::kNarrow:
        return physical == Physical::kDecimal;
      case Form::kOneLength:
      case Form::kBytes:
      case Form::kWords:
      case Form::kOffsets:
        return physical == Physical::kBytes;
      case Form::kArrow:
        return physical == Physical::kOther;
      case Form::kAligned:
        return WidthOf(physical) > 0;
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

  Result<BufferPtr> OffsetsOf(Form form) {
    switch (form) {
      case Form::kOneLength:
        return OneLength();
      case Form::kOffsets:
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

  Result<BufferPtr> SumsOfLengths(Form form) {
    BufferPtr offsets = MUTIRAO_TRY(arrow::AllocateBuffer((rows_ + 1) * 4));
    auto* const ends = reinterpret_cast<int32_t*>(offsets->mutable_data());
    ends[0] = 0;
    const int64_t total = MUTIRAO_TRY(form == Form::kBytes ? AddLengths<uint8_t>(ends) : AddLengths<uint32_t>(ends));
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

Result<PackedBatch> PackBatch(const arrow::RecordBatch& batch, Packing packing) {
  return Packer(batch, packing).Pack();
}

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
