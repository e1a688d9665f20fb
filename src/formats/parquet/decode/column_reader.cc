#include "formats/parquet/decode/column_reader.h"

#include <algorithm>
#include <cstring>
#include <numeric>
#include <string>
#include <utility>

#include <arrow/array.h>

#include "formats/parquet/decode/hybrid_reader.h"

namespace mutirao::formats::parquet_decode {
namespace {

Status Damaged(const char* what) {
  return Status::Invalid(std::string("a page has ") + what);
}

}  // namespace

ColumnReader::ColumnReader(const parquet::ColumnDescriptor& column, int64_t rows, std::unique_ptr<ValueDecoder> values,
                           std::unique_ptr<parquet::PageReader> pages)
    : max_definition_(column.max_definition_level()),
      values_(std::move(values)),
      pages_(std::move(pages)),
      rows_left_(rows) {
  pages_->set_data_page_filter([this](const parquet::DataPageStats& page) {
    if (!skips_ || !skips_(page.num_values)) return false;
    skipped_rows_ += page.num_values;
    rows_left_ -= page.num_values;
    return true;
  });
}

Result<ArrayPtr> ColumnReader::Read(int64_t count, const std::vector<uint32_t>* selection) {
  Wanted wanted{selection};
  for (int64_t at = 0; at < count;) {
    if (page_left_ == 0) {
      MUTIRAO_TRY(NextPage(at, count - at, wanted));
      at += std::exchange(skipped_rows_, 0);
      continue;
    }
    const int64_t rows = std::min(page_left_, count - at);
    MUTIRAO_TRY(TakeRows(static_cast<size_t>(rows), at, &wanted));
    page_left_ -= rows;
    at += rows;
  }
  return values_->Finish();
}

// Opens the next page of data, but for those that lie within the step and have no row that is wanted.
Status ColumnReader::NextPage(int64_t step_at, int64_t step_left, const Wanted& wanted) {
  skips_ = nullptr;
  if (wanted.selection != nullptr) {
    skips_ = [&, this](int64_t rows) {
      if (rows <= 0 || rows > step_left - skipped_rows_) return false;
      const int64_t end = step_at + skipped_rows_ + rows;
      const auto& selection = *wanted.selection;
      return wanted.next == selection.size() || selection[wanted.next] >= end;
    };
  }
  for (;;) {
    page_ = pages_->NextPage();
    if (page_ == nullptr) {
      skips_ = nullptr;
      return skipped_rows_ == step_left ? Status::Ok() : Status::Invalid("a column has fewer rows than its row group");
    }
    if (page_->type() == parquet::PageType::DICTIONARY_PAGE) {
      const auto& dictionary = static_cast<const parquet::DictionaryPage&>(*page_);
      if (dictionary.num_values() < 0) return Damaged("a negative number of values");
      MUTIRAO_TRY(
          values_->SetDictionary({dictionary.data(), static_cast<size_t>(dictionary.size())}, dictionary.num_values()));
      continue;
    }
    if (page_->type() != parquet::PageType::DATA_PAGE && page_->type() != parquet::PageType::DATA_PAGE_V2) continue;
    skips_ = nullptr;
    return OpenPage(static_cast<const parquet::DataPage&>(*page_));
  }
}

Status ColumnReader::OpenPage(const parquet::DataPage& page) {
  if (page.num_values() < 0 || page.num_values() > rows_left_) return Damaged("another number of rows than there are");
  rows_left_ -= page.num_values();
  page_left_ = page.num_values();
  std::span<const uint8_t> bytes(page.data(), static_cast<size_t>(page.size()));
  has_levels_ = false;
  MUTIRAO_TRY(ReadLevels(page, &bytes));
  const int64_t values =
      has_levels_ ? std::accumulate(levels_.begin(), levels_.end(), int64_t{0}) : int64_t{page.num_values()};
  return values_->SetPage(page.encoding(), bytes, values);
}

// Reads which rows are null and takes the bytes that say so from the page's.
Status ColumnReader::ReadLevels(const parquet::DataPage& page, std::span<const uint8_t>* bytes) {
  size_t length = 0;
  if (page.type() == parquet::PageType::DATA_PAGE_V2) {
    const auto& v2 = static_cast<const parquet::DataPageV2&>(page);
    if (v2.definition_levels_byte_length() < 0 || v2.repetition_levels_byte_length() != 0) {
      return Damaged("levels that a flat column cannot have");
    }
    length = static_cast<size_t>(v2.definition_levels_byte_length());
    if (length > bytes->size()) return Damaged("fewer bytes than its levels");
    if (max_definition_ > 0) MUTIRAO_TRY(SetLevels(bytes->first(length), page.num_values()));
    *bytes = bytes->subspan(length);
    return Status::Ok();
  }
  if (max_definition_ == 0) return Status::Ok();
  if (static_cast<const parquet::DataPageV1&>(page).definition_level_encoding() != parquet::Encoding::RLE) {
    return Status::Unsupported("levels of another encoding than RLE");
  }
  uint32_t told = 0;
  if (bytes->size() < sizeof told) return Damaged("fewer bytes than its levels");
  std::memcpy(&told, bytes->data(), sizeof told);
  *bytes = bytes->subspan(sizeof told);
  if (told > bytes->size()) return Damaged("fewer bytes than its levels");
  MUTIRAO_TRY(SetLevels(bytes->first(told), page.num_values()));
  *bytes = bytes->subspan(told);
  return Status::Ok();
}

Status ColumnReader::SetLevels(std::span<const uint8_t> bytes, int64_t rows) {
  const auto count = static_cast<size_t>(rows);
  HybridReader levels(bytes.data(), bytes.size(), 1);
  if (HybridReader(levels).SkipRunOf(1, count)) return Status::Ok();
  levels_.resize(count);
  level_at_ = 0;
  has_levels_ = true;
  return levels.Read(levels_.data(), count) ? Status::Ok() : Damaged("fewer levels than rows");
}

// Takes rows of the page that begin at a place of the step.
Status ColumnReader::TakeRows(size_t count, int64_t step_at, Wanted* wanted) {
  if (!has_levels_ && wanted->selection == nullptr) return values_->AppendAll(count);
  picks_.clear();
  size_t values = count;
  if (!has_levels_) {
    const auto& selection = *wanted->selection;
    const int64_t end = step_at + static_cast<int64_t>(count);
    for (; wanted->next < selection.size() && selection[wanted->next] < end; ++wanted->next) {
      picks_.push_back(static_cast<uint32_t>(selection[wanted->next] - step_at));
    }
    return values_->Append(values, picks_);
  }
  uint32_t value = 0;
  const uint32_t* const levels = levels_.data() + level_at_;
  for (size_t row = 0; row < count; ++row) {
    bool is_wanted = true;
    if (wanted->selection != nullptr) {
      const auto& selection = *wanted->selection;
      is_wanted = wanted->next < selection.size() && selection[wanted->next] == step_at + static_cast<int64_t>(row);
      wanted->next += is_wanted ? 1 : 0;
    }
    if (is_wanted) picks_.push_back(levels[row] != 0 ? value : kNullPick);
    value += levels[row];
  }
  level_at_ += count;
  return values_->Append(value, picks_);
}

}  // namespace mutirao::formats::parquet_decode
