#include "engine/memory/packed_batch.h"

#include <algorithm>
#include <array>
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

class Packer {
 public:
  explicit Packer(const arrow::RecordBatch& batch) : batch_(batch), rows_(batch.num_rows()) {}

  Result<BufferPtr> Pack() {
    int64_t room = 0;
    for (int i = 0; i < batch_.num_columns(); ++i) {
      const int64_t most = MUTIRAO_TRY(RoomOf(i));
      room += most;
    }
    std::shared_ptr<arrow::ResizableBuffer> buffer = MUTIRAO_TRY(arrow::AllocateResizableBuffer(room));
    next_ = buffer->mutable_data();
    for (int i = 0; i < batch_.num_columns(); ++i) PackColumn(i);
    MUTIRAO_TRY(buffer->Resize(next_ - buffer->data(), false));
    return BufferPtr(std::move(buffer));
  }

 private:
  // The most that a column takes; columns without a form of their own are written here.
  Result<int64_t> RoomOf(int column) {
    const arrow::ArrayData& data = *batch_.column_data(column);
    messages_.emplace_back();
    const int64_t fixed = 16 + BitBytes(rows_);
    switch (PhysicalOf(*data.type)) {
      case Physical::kBool:
        return fixed + BitBytes(rows_);
      case Physical::kBytes: {
        const BytesView view(data);
        return fixed + rows_ * 4 + (rows_ > 0 ? view.offsets[rows_] - view.offsets[0] : 0);
      }
      case Physical::kOther: {
        const auto schema = arrow::schema({batch_.schema()->field(column)});
        const auto alone = arrow::RecordBatch::Make(schema, rows_, {batch_.column(column)});
        messages_.back() =
            MUTIRAO_TRY(arrow::ipc::SerializeRecordBatch(*alone, arrow::ipc::IpcWriteOptions::Defaults()));
        return fixed + messages_.back()->size();
      }
      default:
        return fixed + rows_ * WidthOf(PhysicalOf(*data.type));
    }
  }

  void PackColumn(int column) {
    const arrow::ArrayData& data = *batch_.column_data(column);
    const Physical physical = PhysicalOf(*data.type);
    if (physical == Physical::kOther) {
      const arrow::Buffer& message = *messages_[static_cast<size_t>(column)];
      Put(Form::kArrow);
      Put(message.size());
      return PutBytes(message.data(), message.size());
    }
    const Validity valid(data);
    Form* const form = reinterpret_cast<Form*>(next_);
    Put(Form::kPlain);
    Put(static_cast<uint8_t>(valid.all_valid() ? 0 : 1));
    if (!valid.all_valid()) PutBits(valid.bits, valid.offset);
    if (rows_ == 0) return;
    if (physical == Physical::kBytes) {
      *form = PackTexts(BytesView(data));
    } else if (physical == Physical::kDecimal) {
      *form = PackDecimals(FixedView<Int128>(data));
    } else if (physical == Physical::kBool) {
      PutBits(data.buffers[1]->data(), data.offset);
    } else {
      const int64_t width = WidthOf(physical);
      PutBytes(data.buffers[1]->data() + data.offset * width, rows_ * width);
    }
  }

  Form PackTexts(const BytesView& view) {
    uint32_t longest = 0;
    uint32_t shortest = UINT32_MAX;
    for (int64_t row = 0; row < rows_; ++row) {
      longest = std::max(longest, view.length(row));
      shortest = std::min(shortest, view.length(row));
    }
    Form form = Form::kWords;
    if (shortest == longest) {
      form = Form::kOneLength;
      Put(longest);
    } else if (longest <= UINT8_MAX) {
      form = Form::kBytes;
      for (int64_t row = 0; row < rows_; ++row) next_[row] = static_cast<uint8_t>(view.length(row));
      next_ += rows_;
    } else {
      for (int64_t row = 0; row < rows_; ++row) Put(view.length(row));
    }
    PutBytes(view.data(0), view.offsets[rows_] - view.offsets[0]);
    return form;
  }

  Form PackDecimals(const FixedView<Int128>& view) {
    bool fits = true;
    for (int64_t row = 0; row < rows_; ++row) fits &= view[row] == static_cast<int64_t>(view[row]);
    if (!fits) {
      PutBytes(view.values, rows_ * static_cast<int64_t>(sizeof(Int128)));
      return Form::kPlain;
    }
    for (int64_t row = 0; row < rows_; ++row) Put(static_cast<int64_t>(view[row]));
    return Form::kNarrow;
  }

  template <typename T>
  void Put(T value) {
    std::memcpy(next_, &value, sizeof value);
    next_ += sizeof value;
  }
  void PutBytes(const void* bytes, int64_t size) {
    if (size > 0) std::memcpy(next_, bytes, static_cast<size_t>(size));
    next_ += size;
  }
  void PutBits(const uint8_t* bits, int64_t offset) {
    if (rows_ > 0) next_[BitBytes(rows_) - 1] = 0;
    arrow::internal::CopyBitmap(bits, offset, rows_, next_, 0);
    next_ += BitBytes(rows_);
  }

  const arrow::RecordBatch& batch_;
  const int64_t rows_;
  std::vector<BufferPtr> messages_;
  uint8_t* next_ = nullptr;
};

// The offsets of texts that all have one length, which are the same for every batch: kept as long as somebody has them.
// Threads: any.
class OffsetsOfOneLength {
 public:
  static Result<BufferPtr> Get(uint32_t length, int64_t rows) {
    if (length >= kShared) return Make(length, rows);
    static std::array<OffsetsOfOneLength, kShared> shared;
    OffsetsOfOneLength& known = shared[length];
    const std::lock_guard lock(known.mutex_);
    BufferPtr offsets = known.last_.lock();
    // Much longer ones would be taken for memory that a few rows keep.
    const int64_t needed = (rows + 1) * kWidth;
    if (offsets != nullptr && offsets->size() >= needed && offsets->size() / 2 <= needed) return offsets;
    offsets = MUTIRAO_TRY(Make(length, rows));
    known.last_ = offsets;
    return offsets;
  }

 private:
  static constexpr uint32_t kShared = 64;
  static constexpr auto kWidth = static_cast<int64_t>(sizeof(int32_t));

  static Result<BufferPtr> Make(uint32_t length, int64_t rows) {
    BufferPtr offsets = MUTIRAO_TRY(arrow::AllocateBuffer((rows + 1) * kWidth));
    auto* const ends = reinterpret_cast<int32_t*>(offsets->mutable_data());
    for (int64_t row = 0; row <= rows; ++row) ends[row] = static_cast<int32_t>(row * length);
    return offsets;
  }

  std::mutex mutex_;
  std::weak_ptr<arrow::Buffer> last_;
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
      : next_(packed.data()), end_(packed.data() + packed.size()), rows_(rows), owner_(std::move(owner)) {}

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
      values = MUTIRAO_TRY(form == Form::kOneLength ? OneLength() : Offsets(form));
      texts = MUTIRAO_TRY(Texts(reinterpret_cast<const int32_t*>(values->data())[rows_]));
    } else if (form == Form::kNarrow) {
      values = MUTIRAO_TRY(Decimals());
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
        return physical == Physical::kBytes;
      case Form::kArrow:
        return physical == Physical::kOther;
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

  Result<BufferPtr> Texts(int64_t bytes) {
    if (owner_ == nullptr) return Take(bytes);
    MUTIRAO_TRY(Need(bytes));
    BufferPtr texts = std::make_shared<OwnedBytes>(next_, bytes, owner_);
    next_ += bytes;
    return texts;
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
    return OffsetsOfOneLength::Get(length, rows_);
  }

  Result<BufferPtr> Offsets(Form form) {
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

  const uint8_t* next_;
  const uint8_t* const end_;
  const int64_t rows_;
  const std::shared_ptr<const void> owner_;
};

}  // namespace

Result<BufferPtr> PackBatch(const arrow::RecordBatch& batch) {
  return Packer(batch).Pack();
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
