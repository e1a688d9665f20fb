#include "formats/parquet/encode/chunk_writer.h"

#include <isa-l.h>

#include <algorithm>
#include <limits>
#include <utility>

#include <arrow/api.h>
#include <fmt/format.h>

namespace mutirao::formats::parquet_encode {

ColumnValues& ChunkWriter::ValuesFor(const Leaf& leaf) {
  auto& values = values_[static_cast<size_t>(leaf.physical)];
  if (values == nullptr) values = MakeColumnValues(leaf.physical);
  return *values;
}

Result<ChunkFacts> ChunkWriter::Write(const Leaf& leaf, std::span<const BatchPtr> batches, int64_t position,
                                      ColumnHistory* history, const WriteBytes& write) {
  ColumnValues& values = ValuesFor(leaf);
  levels_.Begin(leaf);
  values.Begin(leaf);
  for (const auto& batch : batches) MUTIRAO_TRY(levels_.Append(*batch->column_data(leaf.field), values));
  values.ChooseEncoding(options_, &history->dictionary);

  ChunkFacts facts;
  start_ = position;
  facts.encoding = values.encoding();
  facts.levels = static_cast<int64_t>(levels_.size());
  if (facts.encoding == Encoding::kRleDictionary) {
    facts.dictionary_offset = position;
    page_.Clear();
    values.EncodeDictionary(page_);
    PageShape page{
        .is_dictionary = true, .has_texts = leaf.physical == Physical::kBytes, .values = values.dictionary_size()};
    MUTIRAO_TRY(WritePage(page, nullptr, write, facts));
  }
  if (std::exchange(history->encoding, facts.encoding) != facts.encoding) history->repeats = {};
  MUTIRAO_TRY(WriteDataPages(leaf, values, &history->repeats, write, facts));
  return facts;
}

// Pages begin with rows. A page that would be too large is halved until it is not, so most are half full or more.
size_t ChunkWriter::PageEnd(const ColumnValues& values, size_t level, size_t value) const {
  size_t levels = std::min(options_.page_rows, levels_.size() - level);
  while (true) {
    size_t end = levels_.NextRow(level + levels);
    if (values.SizeOf(value, value + levels_.CountValues(level, end)) <= options_.page_bytes || levels == 1) return end;
    levels = (levels + 1) / 2;
  }
}

Status ChunkWriter::WriteDataPages(const Leaf& leaf, ColumnValues& values, RepeatHistory* history,
                                   const WriteBytes& write, ChunkFacts& facts) {
  size_t level = 0;
  size_t value = 0;
  int64_t row = 0;
  while (level < levels_.size()) {
    size_t level_end = PageEnd(values, level, value);
    size_t value_end = value + levels_.CountValues(level, level_end);
    if (values.SizeOf(value, value_end) > static_cast<size_t>(std::numeric_limits<int32_t>::max() / 2)) {
      return Status::Unsupported(
          fmt::format("row {} of column {} takes more than the 1 GiB that fit in a parquet page", row, leaf.path[0]));
    }
    page_.Clear();
    levels_.Encode(level, level_end, page_);
    values.Encode(value, value_end, page_);

    PageFacts page;
    page.offset = start_ + facts.stored_bytes;
    page.first_row = row;
    page.nulls = static_cast<int64_t>((level_end - level) - (value_end - value));
    page.only_nulls = value == value_end;
    page.bounds = values.BoundsOf(value, value_end);
    PageShape shape{.has_texts = facts.encoding == Encoding::kDeltaLengthByteArray,
                    .values = level_end - level,
                    .encoding = facts.encoding};
    size_t stored = MUTIRAO_TRY(WritePage(shape, history, write, facts));
    page.stored_bytes = static_cast<int32_t>(stored);
    Widen(leaf, page.bounds, facts.bounds);
    facts.nulls += page.nulls;
    facts.pages.push_back(std::move(page));

    row += static_cast<int64_t>(levels_.CountRows(level, level_end));
    level = level_end;
    value = value_end;
  }
  return Status::Ok();
}

Result<size_t> ChunkWriter::WritePage(PageShape page, RepeatHistory* history, const WriteBytes& write,
                                      ChunkFacts& facts) {
  auto stored = MUTIRAO_TRY(compressor_->Compress(page_.view(), page.has_texts, history));
  page.plain_bytes = page_.size();
  page.stored_bytes = stored.size();
  uint32_t crc = 0;
  if (options_.write_crc) {
    crc = crc32_gzip_refl(0, reinterpret_cast<const uint8_t*>(stored.data()), stored.size());
  }
  std::string header = PageHeader(page, options_.write_crc ? &crc : nullptr);
  MUTIRAO_TRY(write(header));
  MUTIRAO_TRY(write(stored));
  facts.plain_bytes += static_cast<int64_t>(header.size() + page.plain_bytes);
  facts.stored_bytes += static_cast<int64_t>(header.size() + stored.size());
  return header.size() + stored.size();
}

}  // namespace mutirao::formats::parquet_encode
