#include "formats/parquet/encode/file_metadata.h"

#include <arrow/api.h>

#include "formats/parquet/encode/thrift_compact.h"

// Ids and numbers are those of parquet.thrift, the format's own definition.
namespace mutirao::formats::parquet_encode {
namespace {

using Type = ThriftWriter::Type;

enum PageType : int32_t { kDataPage = 0, kDictionaryPage = 2 };
enum BoundaryOrder : int32_t { kUnordered = 0, kAscending = 1, kDescending = 2 };

int32_t Number(Encoding encoding) {
  return static_cast<int32_t>(encoding);
}

void WriteStatistics(const Leaf& leaf, const ChunkFacts& chunk, size_t bound_bytes, ThriftWriter& out) {
  out.BeginStruct(12);
  out.I64(3, chunk.nulls);
  if (chunk.bounds.known) {
    CutBound max = CutUpper(leaf, chunk.bounds.max, bound_bytes);
    CutBound min = CutLower(leaf, chunk.bounds.min, bound_bytes);
    out.Binary(5, max.bytes);
    out.Binary(6, min.bytes);
    out.Bool(7, max.exact);
    out.Bool(8, min.exact);
  }
  out.End();
}

void WriteEncodingCount(PageType page, Encoding encoding, size_t count, ThriftWriter& out) {
  out.BeginStructElement();
  out.I32(1, page);
  out.I32(2, Number(encoding));
  out.I32(3, static_cast<int32_t>(count));
  out.End();
}

void WriteEncodings(const Leaf& leaf, const ChunkFacts& chunk, ThriftWriter& out) {
  std::vector<Encoding> encodings;
  if (chunk.dictionary_offset >= 0) encodings.push_back(Encoding::kPlain);
  if (leaf.max_definition > 0 || leaf.max_repetition > 0) encodings.push_back(Encoding::kRle);
  encodings.push_back(chunk.encoding);
  out.BeginList(2, Type::kI32, encodings.size());
  for (Encoding encoding : encodings) out.NumberElement(Number(encoding));
}

void WriteColumnMetaData(const Leaf& leaf, const ChunkFacts& chunk, const EncodeOptions& options, ThriftWriter& out) {
  out.BeginStruct(3);
  out.I32(1, static_cast<int32_t>(leaf.physical));
  WriteEncodings(leaf, chunk, out);
  out.BeginList(3, Type::kBinary, leaf.path.size());
  for (const auto& part : leaf.path) out.BinaryElement(part);
  out.I32(4, static_cast<int32_t>(options.codec));
  out.I64(5, chunk.levels);
  out.I64(6, chunk.plain_bytes);
  out.I64(7, chunk.stored_bytes);
  out.I64(9, chunk.pages.front().offset);
  bool dictionary = chunk.dictionary_offset >= 0;
  if (dictionary) out.I64(11, chunk.dictionary_offset);
  WriteStatistics(leaf, chunk, options.bound_bytes, out);
  // Readers that filter on dictionaries use them only when this says that no page does without.
  out.BeginList(13, Type::kStruct, dictionary ? 2 : 1);
  if (dictionary) WriteEncodingCount(kDictionaryPage, Encoding::kPlain, 1, out);
  WriteEncodingCount(kDataPage, chunk.encoding, chunk.pages.size(), out);
  out.End();
}

void WriteColumnChunk(const Leaf& leaf, const ChunkFacts& chunk, const EncodeOptions& options, ThriftWriter& out) {
  out.BeginStructElement();
  out.I64(2, 0);  // no copy of the metadata stands behind the chunk
  WriteColumnMetaData(leaf, chunk, options, out);
  if (chunk.offset_index_offset >= 0) {
    out.I64(4, chunk.offset_index_offset);
    out.I32(5, chunk.offset_index_bytes);
  }
  if (chunk.column_index_offset >= 0) {
    out.I64(6, chunk.column_index_offset);
    out.I32(7, chunk.column_index_bytes);
  }
  out.End();
}

void WriteRowGroup(const std::vector<Leaf>& leaves, const RowGroupFacts& group, size_t ordinal,
                   const EncodeOptions& options, ThriftWriter& out) {
  int64_t plain = 0;
  int64_t stored = 0;
  for (const auto& chunk : group.columns) {
    plain += chunk.plain_bytes;
    stored += chunk.stored_bytes;
  }
  out.BeginStructElement();
  out.BeginList(1, Type::kStruct, group.columns.size());
  for (size_t i = 0; i < leaves.size(); ++i) WriteColumnChunk(leaves[i], group.columns[i], options, out);
  out.I64(2, plain);
  out.I64(3, group.rows);
  if (!group.columns.empty()) out.I64(5, group.columns.front().first_offset());
  out.I64(6, stored);
  if (ordinal <= INT16_MAX) out.I16(7, static_cast<int16_t>(ordinal));
  out.End();
}

BoundaryOrder OrderOf(const Leaf& leaf, const std::vector<const Bounds*>& pages) {
  bool ascending = true;
  bool descending = true;
  for (size_t i = 1; i < pages.size(); ++i) {
    int min = CompareValues(leaf, pages[i - 1]->min, pages[i]->min);
    int max = CompareValues(leaf, pages[i - 1]->max, pages[i]->max);
    ascending &= min <= 0 && max <= 0;
    descending &= min >= 0 && max >= 0;
  }
  return ascending ? kAscending : descending ? kDescending : kUnordered;
}

}  // namespace

std::string PageHeader(const PageShape& page, const uint32_t* crc) {
  ThriftWriter out;
  out.I32(1, page.is_dictionary ? kDictionaryPage : kDataPage);
  out.I32(2, static_cast<int32_t>(page.plain_bytes));
  out.I32(3, static_cast<int32_t>(page.stored_bytes));
  if (crc != nullptr) out.I32(4, static_cast<int32_t>(*crc));
  out.BeginStruct(page.is_dictionary ? 7 : 5);
  out.I32(1, static_cast<int32_t>(page.values));
  out.I32(2, Number(page.encoding));
  if (!page.is_dictionary) {
    out.I32(3, Number(Encoding::kRle));
    out.I32(4, Number(Encoding::kRle));
  }
  out.End();
  return out.Finish();
}

std::string ColumnIndex(const Leaf& leaf, const ChunkFacts& chunk, size_t bound_bytes) {
  std::vector<Bounds> cut;
  for (const auto& page : chunk.pages) {
    if (!page.bounds.known && !page.only_nulls) return "";
    const Bounds& whole = page.bounds;
    cut.push_back(
        {whole.known, CutLower(leaf, whole.min, bound_bytes).bytes, CutUpper(leaf, whole.max, bound_bytes).bytes});
  }
  std::vector<const Bounds*> known;
  for (const auto& bounds : cut) {
    if (bounds.known) known.push_back(&bounds);
  }
  ThriftWriter out;
  out.BeginList(1, Type::kTrue, cut.size());
  for (const auto& bounds : cut) out.BoolElement(!bounds.known);
  out.BeginList(2, Type::kBinary, cut.size());
  for (const auto& bounds : cut) out.BinaryElement(bounds.min);
  out.BeginList(3, Type::kBinary, cut.size());
  for (const auto& bounds : cut) out.BinaryElement(bounds.max);
  out.I32(4, OrderOf(leaf, known));
  out.BeginList(5, Type::kI64, cut.size());
  for (const auto& page : chunk.pages) out.NumberElement(page.nulls);
  return out.Finish();
}

std::string OffsetIndex(const ChunkFacts& chunk) {
  ThriftWriter out;
  out.BeginList(1, Type::kStruct, chunk.pages.size());
  for (const auto& page : chunk.pages) {
    out.BeginStructElement();
    out.I64(1, page.offset);
    out.I32(2, page.stored_bytes);
    out.I64(3, page.first_row);
    out.End();
  }
  return out.Finish();
}

std::string Footer(const arrow::Schema& schema, const std::vector<Leaf>& leaves,
                   const std::vector<RowGroupFacts>& row_groups, const KeyValues& key_values,
                   const EncodeOptions& options) {
  int64_t rows = 0;
  for (const auto& group : row_groups) rows += group.rows;
  ThriftWriter out;
  out.I32(1, 2);
  WriteSchema(schema, 2, out);
  out.I64(3, rows);
  out.BeginList(4, Type::kStruct, row_groups.size());
  for (size_t i = 0; i < row_groups.size(); ++i) WriteRowGroup(leaves, row_groups[i], i, options, out);
  out.BeginList(5, Type::kStruct, key_values.size());
  for (const auto& [key, value] : key_values) {
    out.BeginStructElement();
    out.Binary(1, key);
    out.Binary(2, value);
    out.End();
  }
  out.Binary(6, options.created_by);
  // Bounds of every column are in the order of its type.
  out.BeginList(7, Type::kStruct, leaves.size());
  for (size_t i = 0; i < leaves.size(); ++i) {
    out.BeginStructElement();
    out.EmptyStruct(1);
    out.End();
  }
  return out.Finish();
}

}  // namespace mutirao::formats::parquet_encode
