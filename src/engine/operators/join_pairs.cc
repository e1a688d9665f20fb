#include "engine/operators/join_pairs.h"

#include <algorithm>

#include <arrow/api.h>

#include "columnar/arrow_status.h"

namespace mutirao::engine {

void JoinPairs::Start(const BatchPtr& batch, const JoinTable* table) {
  batch_ = batch;
  table_ = table;
  row_ = 0;
  match_ = nullptr;
  product_ = 0;
  gives_lonely_ = false;
  is_chosen_ = false;
  probe_rows_.clear();
  build_rows_.clear();
}

Status JoinPairs::LookUp(MatchedRows& matched) {
  KeyEncoder encoder(shape_->probe_keys);
  MUTIRAO_TRY(encoder.Encode(*batch_, &keys_));
  found_.resize(keys_.size());
  table_->Find(keys_, found_.data(), matched);
  matched_ = &matched;
  return {};
}

Status JoinPairs::Begin(const BatchPtr& batch, const JoinTable* table, MatchedRows& matched) {
  Start(batch, table);
  if (shape_->is_cross()) return {};
  MUTIRAO_TRY(LookUp(matched));
  unmatched_ += std::count_if(found_.begin(), found_.end(), [](const JoinMatch& first) { return first.is_none(); });
  gives_lonely_ = shape_->keeps_probe();
  if (shape_->is_filter()) ChooseRows();
  return {};
}

// semi and anti: now when the left side is the probe side, in the end when it is in the table.
void JoinPairs::ChooseRows() {
  is_chosen_ = true;
  if (!shape_->probe_is_left) return;
  const bool wanted = shape_->node.spec.kind == frame::JoinKind::kSemi;
  for (size_t row = 0; row < found_.size(); ++row) {
    if (!found_[row].is_none() == wanted) probe_rows_.push_back(static_cast<uint32_t>(row));
  }
}

Status JoinPairs::BeginPass(const BatchPtr& batch, const JoinTable* table, MatchedRows& matched, uint8_t* seen) {
  Start(batch, table);
  if (shape_->is_cross()) return {};
  MUTIRAO_TRY(LookUp(matched));
  for (size_t row = 0; row < found_.size(); ++row) seen[row] |= found_[row].is_none() ? 0 : 1;
  is_chosen_ = shape_->is_filter();
  return {};
}

Status JoinPairs::BeginDecided(const BatchPtr& batch, const uint8_t* seen) {
  Start(batch, nullptr);
  is_chosen_ = true;
  if (shape_->is_cross()) return {};
  const auto rows = static_cast<uint32_t>(batch->num_rows());
  unmatched_ += std::count(seen, seen + rows, uint8_t{0});
  const bool wanted = shape_->node.spec.kind == frame::JoinKind::kSemi;
  if (!shape_->decides_probe()) return {};
  for (uint32_t row = 0; row < rows; ++row) {
    if ((seen[row] != 0) != wanted) continue;
    probe_rows_.push_back(row);
    build_rows_.push_back(kNoRow);
  }
  return {};
}

// Goes on as long as rows have one partner or none, which most have. Whether it is one or none cannot be foretold, so
// nothing branches on it. Gives the number of pairs there are.
size_t JoinPairs::FillSinglePairs(size_t pairs, size_t room) {
  const size_t end = std::min(found_.size(), row_ + (room - pairs));
  for (; row_ < end; ++row_) {
    const JoinMatch first = found_[row_];
    const bool is_none = first.is_none();
    if (!first.is_last()) break;
    probe_rows_[pairs] = static_cast<uint32_t>(row_);
    const RowRef ref = table_->RefOf(is_none ? 0 : first.row);
    build_rows_[pairs] = {is_none ? kNoRow.chunk : ref.chunk, is_none ? kNoRow.row : ref.row};
    pairs += gives_lonely_ || !is_none ? 1 : 0;
  }
  return pairs;
}

void JoinPairs::FillPairs() {
  const size_t rows = found_.size();
  constexpr auto kMost = static_cast<size_t>(kBatchRows);
  // Room for one pair a row; for more where keys have several rows.
  size_t room = std::min(kMost, rows - row_);
  const auto make_room = [&] {
    probe_rows_.resize(room);
    build_rows_.resize(room);
  };
  make_room();
  size_t pairs = 0;
  while (row_ < rows && pairs < kMost) {
    if (pairs == room) {
      room = std::min(kMost, room * 2);
      make_room();
    }
    if (match_ == nullptr) {
      pairs = FillSinglePairs(pairs, room);
      if (row_ == rows || pairs == room || found_[row_].is_last()) continue;
      match_ = &found_[row_];
    }
    const auto row = static_cast<uint32_t>(row_);
    const uint32_t part = table_->PartOf(keys_.hashes[row_]);
    for (; match_ != nullptr && pairs < room; ++pairs) {
      probe_rows_[pairs] = row;
      build_rows_[pairs] = table_->RefOf(match_->row);
      matched_->Add(match_->row);
      match_ = table_->Next(part, *match_);
    }
    if (match_ == nullptr) ++row_;
  }
  probe_rows_.resize(pairs);
  build_rows_.resize(pairs);
}

void JoinPairs::FillProduct() {
  const auto rows = static_cast<size_t>(batch_->num_rows());
  while (row_ < rows && probe_rows_.size() < static_cast<size_t>(kBatchRows)) {
    if (product_ == table_->rows()) {
      product_ = 0;
      ++row_;
      continue;
    }
    probe_rows_.push_back(static_cast<uint32_t>(row_));
    build_rows_.push_back(table_->RefOf(static_cast<uint32_t>(product_++)));
  }
}

Result<BatchPtr> JoinPairs::Next() {
  if (!is_chosen_) {
    probe_rows_.clear();
    build_rows_.clear();
    shape_->is_cross() ? FillProduct() : FillPairs();
  }
  if (probe_rows_.empty()) return BatchPtr();
  BatchPtr batch = MUTIRAO_TRY(MakeOutput());
  if (is_chosen_) probe_rows_.clear();
  return batch;
}

Result<BatchPtr> JoinPairs::MakeOutput() {
  // Every row once: the columns can be passed on as they are.
  bool as_it_is = probe_rows_.size() == static_cast<size_t>(batch_->num_rows());
  for (uint32_t row = 0; as_it_is && row < probe_rows_.size(); ++row) as_it_is = probe_rows_[row] == row;
  std::vector<ArrayPtr> columns;
  const auto rows = static_cast<int64_t>(probe_rows_.size());
  for (const JoinShape::Output& output : shape_->outputs) {
    ArrayPtr column;
    if (output.probe >= 0 && as_it_is) {
      column = batch_->column(output.probe);
    } else if (output.probe >= 0) {
      column = MUTIRAO_TRY(TakeRows(batch_->column(output.probe), probe_rows_));
    } else if (table_ == nullptr) {
      column = MUTIRAO_TRY(arrow::MakeArrayOfNull(output.type, rows));
    } else {
      column = MUTIRAO_TRY(table_->column(output.build).Take(build_rows_));
    }
    columns.push_back(std::move(column));
  }
  return arrow::RecordBatch::Make(shape_->output_schema, rows, std::move(columns));
}

Result<BatchPtr> JoinPairs::OfBuildRows(const JoinShape& shape, const JoinTable& table, std::span<const RowRef> rows) {
  std::vector<ArrayPtr> columns;
  for (const JoinShape::Output& output : shape.outputs) {
    ArrayPtr column;
    if (output.build < 0) {
      column = MUTIRAO_TRY(arrow::MakeArrayOfNull(output.type, static_cast<int64_t>(rows.size())));
    } else {
      column = MUTIRAO_TRY(table.column(output.build).Take(rows));
    }
    columns.push_back(std::move(column));
  }
  return arrow::RecordBatch::Make(shape.output_schema, static_cast<int64_t>(rows.size()), std::move(columns));
}

void CollectRest(const JoinShape& shape, const JoinTable& table, int part, const MatchedRows& firsts,
                 MatchedRows& others, std::vector<RowRef>& rows) {
  if (part == kRadixParts) {
    if (!shape.gives_unmatched_build()) return;
    for (uint32_t row : table.null_rows()) rows.push_back(table.RefOf(row));
    return;
  }
  const bool gives_rows = shape.gives_unmatched_build() || shape.gives_matched_build();
  // Rows that came out in pairs were marked one by one.
  if (!gives_rows && (!shape.is_filter() || !table.has_chains(part))) return;
  std::vector<uint32_t> numbers;
  table.ForEachKey(part, [&](const JoinMatch& first) {
    const bool matched = firsts.contains(first.row);
    const bool wanted = matched ? shape.gives_matched_build() : shape.gives_unmatched_build();
    if (wanted) numbers.push_back(first.row);
    for (const JoinMatch* match = table.Next(static_cast<uint32_t>(part), first); match != nullptr;
         match = table.Next(static_cast<uint32_t>(part), *match)) {
      if (matched) others.Add(match->row);
      if (wanted) numbers.push_back(match->row);
    }
  });
  std::sort(numbers.begin(), numbers.end());
  for (uint32_t number : numbers) rows.push_back(table.RefOf(number));
}

}  // namespace mutirao::engine
