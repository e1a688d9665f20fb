#include "engine/keys/key_encoder.h"

#include <arrow/api.h>

#include "engine/keys/code_keys.h"
#include "engine/keys/key_layout.h"
#include "engine/rows/column_view.h"

namespace mutirao::engine {
namespace {

constexpr Key kNullKey{0, kNullKeyTag << 56};

void MarkNulls(const arrow::ArrayData& data, int64_t rows, KeyBatch* out) {
  if (data.type->id() == arrow::Type::NA) {
    out->nulls.assign(static_cast<size_t>(rows), 1);
    return;
  }
  const Validity valid(data);
  if (valid.all_valid()) return;
  out->nulls.resize(static_cast<size_t>(rows));
  for (int64_t row = 0; row < rows; ++row) out->nulls[static_cast<size_t>(row)] |= valid(row) ? 0 : 1;
}

template <typename View>
void EncodeOne(const View& view, int64_t rows, Key* keys) {
  for (int64_t row = 0; row < rows; ++row) {
    if (!view.valid(row)) {
      keys[row] = kNullKey;
    } else if constexpr (std::is_same_v<View, BytesView>) {
      keys[row] = MakeKey(view.data(row), view.length(row));
    } else {
      const auto value = NormalisedKey(view[row]);
      Key key{0, uint64_t{sizeof(value)} << 56};
      std::memcpy(&key.a, &value, sizeof(value));
      keys[row] = key;
    }
  }
}

uint32_t VarintLength(uint32_t value) {
  uint32_t length = 1;
  while (value >= 128) {
    value >>= 7;
    ++length;
  }
  return length;
}

uint8_t* WriteVarint(uint8_t* out, uint32_t value) {
  while (value >= 128) {
    *out++ = static_cast<uint8_t>(value | 128);
    value >>= 7;
  }
  *out++ = static_cast<uint8_t>(value);
  return out;
}

// One column of a general key: adds to the lengths, then writes behind each row's cursor.
struct GeneralColumn {
  const arrow::Array* array;

  void AddLengths(int64_t rows, uint32_t* lengths) {
    if (array->type_id() == arrow::Type::NA) {
      for (int64_t row = 0; row < rows; ++row) lengths[row] += 1;
      return;
    }
    VisitColumn(*array->data(), [&](const auto& view) {
      for (int64_t row = 0; row < rows; ++row) {
        if (!view.valid(row)) {
          lengths[row] += 1;
        } else if constexpr (std::is_same_v<std::decay_t<decltype(view)>, BytesView>) {
          lengths[row] += VarintLength(TextPrefix(view.length(row))) + view.length(row);
        } else {
          lengths[row] += 1 + sizeof(view[row]);
        }
      }
    });
  }

  void Write(int64_t rows, uint8_t** cursors) const {
    if (array->type_id() == arrow::Type::NA) {
      for (int64_t row = 0; row < rows; ++row) *cursors[row]++ = 0;
      return;
    }
    VisitColumn(*array->data(), [&](const auto& view) {
      for (int64_t row = 0; row < rows; ++row) {
        uint8_t*& cursor = cursors[row];
        if (!view.valid(row)) {
          *cursor++ = 0;
        } else if constexpr (std::is_same_v<std::decay_t<decltype(view)>, BytesView>) {
          cursor = WriteBytes(cursor, view.data(row), view.length(row));
        } else {
          *cursor++ = kValuePrefix;
          const auto value = NormalisedKey(view[row]);
          std::memcpy(cursor, &value, sizeof(value));
          cursor += sizeof(value);
        }
      }
    });
  }

  static uint8_t* WriteBytes(uint8_t* cursor, const uint8_t* bytes, uint32_t length) {
    cursor = WriteVarint(cursor, TextPrefix(length));
    if (length > 0) std::memcpy(cursor, bytes, length);
    return cursor + length;
  }
};

}  // namespace

Status KeyEncoder::Encode(const arrow::RecordBatch& batch, KeyBatch* out) {
  std::vector<ArrayPtr> columns;
  columns.reserve(columns_.size());
  for (int column : columns_) columns.push_back(batch.column(column));
  return Encode(columns, batch.num_rows(), out);
}

Status KeyEncoder::Encode(const std::vector<ArrayPtr>& columns, int64_t rows, KeyBatch* out) {
  out->keys.resize(static_cast<size_t>(rows));
  out->hashes.resize(static_cast<size_t>(rows));
  out->nulls.clear();
  out->arena.reset();
  for (const ArrayPtr& column : columns) {
    if (PhysicalOf(*column->type()) != Physical::kOther || column->type_id() == arrow::Type::NA) continue;
    return Status::Unsupported("values of type " + TypeName(*column->type()) + " as keys");
  }
  for (const ArrayPtr& column : columns) MarkNulls(*column->data(), rows, out);
  const Physical physical = columns.size() == 1 ? PhysicalOf(*columns[0]->type()) : Physical::kOther;
  if (out->nulls.empty() && EncodeCodes(columns, rows, out)) return {};
  if (physical != Physical::kOther && physical != Physical::kDecimal) {
    VisitColumn(*columns[0]->data(), [&](const auto& view) {
      if constexpr (!std::is_same_v<std::decay_t<decltype(view)>, FixedView<Int128>>) {
        EncodeOne(view, rows, out->keys.data());
      }
    });
  } else {
    EncodeGeneral(columns, rows, out);
  }
  for (int64_t row = 0; row < rows; ++row) {
    out->hashes[static_cast<size_t>(row)] = HashKey(out->keys[static_cast<size_t>(row)]);
  }
  return {};
}

void KeyEncoder::EncodeGeneral(const std::vector<ArrayPtr>& columns, int64_t rows, KeyBatch* out) {
  const auto count = static_cast<size_t>(rows);
  lengths_.assign(count, 0);
  std::vector<GeneralColumn> general;
  for (const ArrayPtr& column : columns) {
    general.push_back({column.get()});
    general.back().AddLengths(rows, lengths_.data());
  }
  size_t total = 0;
  for (uint32_t length : lengths_) total += length;
  out->arena = std::make_shared_for_overwrite<uint8_t[]>(total + 1);
  std::vector<uint8_t*> cursors(count);
  uint8_t* next = out->arena.get();
  for (size_t row = 0; row < count; ++row) {
    cursors[row] = next;
    next += lengths_[row];
  }
  for (const GeneralColumn& column : general) column.Write(rows, cursors.data());
  for (size_t row = 0; row < count; ++row) out->keys[row] = MakeKey(cursors[row] - lengths_[row], lengths_[row]);
}

}  // namespace mutirao::engine
