#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "columnar/type.h"

namespace mutirao::engine {

/// A row of one of several batches.
struct RowRef {
  uint32_t chunk = 0;
  uint32_t row = 0;

  bool operator==(const RowRef&) const = default;
};

/// Stands for no row: Take gives null for it.
inline constexpr RowRef kNoRow{UINT32_MAX, UINT32_MAX};

/// Copy rows out of many arrays of one type into one array: what Take does, without joining the arrays first.
///
/// Ownership: keeps the arrays, or those of their buffers that it reads. Threads: Take is const, any.
class Gather {
 public:
  /// How often Take will be called: what is looked at beforehand pays only when most rows are taken.
  enum class Use { kOften, kOnce };

  Gather(TypePtr type, std::vector<ArrayPtr> chunks, Use use = Use::kOften);

  /// Errors: kExhausted when the text of the rows is 2 GiB or more.
  Result<ArrayPtr> Take(std::span<const RowRef> rows) const;

 private:
  struct Chunk {
    const uint8_t* values =
        nullptr;  // moved by the array's offset, but for bits; the first text where all have a length
    const uint8_t* bytes = nullptr;
    const uint8_t* validity = nullptr;
    int64_t offset = 0;
  };
  void LookForOneLength();
  void LetOffsetsGo();
  Status CopyTexts(std::span<const RowRef> rows, int32_t* ends, std::shared_ptr<arrow::Buffer>* bytes) const;
  Status CopyTextsOfOneLength(std::span<const RowRef> rows, int32_t* ends, std::shared_ptr<arrow::Buffer>* bytes) const;
  template <typename T>
  Result<ArrayPtr> TakeFixed(std::span<const RowRef> rows) const;
  Result<ArrayPtr> TakeBool(std::span<const RowRef> rows) const;
  Result<ArrayPtr> TakeBytes(std::span<const RowRef> rows) const;
  Result<ArrayPtr> TakeOther(std::span<const RowRef> rows) const;
  Result<std::shared_ptr<arrow::Buffer>> TakeValidity(std::span<const RowRef> rows, int64_t* nulls) const;

  TypePtr type_;
  std::vector<ArrayPtr> arrays_;
  std::vector<std::shared_ptr<arrow::Buffer>> buffers_;  // what is left of the arrays where all texts have a length
  std::vector<Chunk> chunks_;
  bool has_nulls_ = false;
  int32_t one_length_ = -1;  // of every text, as codes have it: then where a text lies need not be looked up
};

/// The columns of several batches of one schema, ready to take rows from. Threads: Take is const, any.
class BatchGather {
 public:
  BatchGather(SchemaPtr schema, const std::vector<BatchPtr>& batches, Gather::Use use = Gather::Use::kOften);

  Result<BatchPtr> Take(std::span<const RowRef> rows) const;
  const Gather& column(int index) const { return columns_[static_cast<size_t>(index)]; }

 private:
  SchemaPtr schema_;
  std::vector<Gather> columns_;
};

/// Take rows of one batch by number; gives the batch itself when they are all its rows in order.
Result<BatchPtr> TakeRows(const BatchPtr& batch, std::span<const uint32_t> rows);
Result<ArrayPtr> TakeRows(const ArrayPtr& array, std::span<const uint32_t> rows);

}  // namespace mutirao::engine
