#include "engine/operators/join.h"

#include <algorithm>
#include <atomic>
#include <mutex>

#include <arrow/api.h>

#include "columnar/arrow_status.h"

namespace mutirao::engine {

using frame::JoinKind;

// What a join does, said in terms of build and probe instead of left and right.
struct HashJoin::Shape {
  // An output column: of the probe batch, or of what is kept of the build side; -1 where the side has none. Key columns
  // have both.
  struct Output {
    TypePtr type;
    int probe = -1;
    int build = -1;
  };

  Shape(const RunContext* run, const frame::JoinNode& join, bool build_right)
      : node(join), table(run->workers), probe_is_left(build_right) {
    const auto& spec = node.spec;
    const arrow::Schema& left = *node.left()->schema();
    const arrow::Schema& right = *node.right()->schema();
    const arrow::Schema& build_schema = probe_is_left ? right : left;
    for (size_t i = 0; i < spec.left_keys.size(); ++i) {
      const int left_key = left.GetFieldIndex(spec.left_keys[i]), right_key = right.GetFieldIndex(spec.right_keys[i]);
      probe_keys.push_back(probe_is_left ? left_key : right_key);
      build_keys.push_back(probe_is_left ? right_key : left_key);
    }
    int at = 0;
    for (const std::string& name : spec.left_output) {
      const int key = KeyIndex(spec.left_keys, name);
      const bool needs_right = key >= 0 && (has_right_rows() || !probe_is_left);
      const int other = needs_right ? right.GetFieldIndex(spec.right_keys[static_cast<size_t>(key)]) : -1;
      AddOutput(at++, left.GetFieldIndex(name), other);
    }
    for (const auto& [name, as] : spec.right_output) AddOutput(at++, -1, right.GetFieldIndex(name));
    std::vector<std::shared_ptr<arrow::Field>> fields;
    for (int column : kept_columns) fields.push_back(build_schema.field(column));
    kept_schema = arrow::schema(std::move(fields));
    if (node.spec.kind == JoinKind::kCross) table.KeepAllRows();
  }

  static int KeyIndex(const std::vector<std::string>& keys, const std::string& name) {
    const auto at = std::find(keys.begin(), keys.end(), name);
    return at == keys.end() ? -1 : static_cast<int>(at - keys.begin());
  }

  bool has_right_rows() const { return node.spec.kind == JoinKind::kRight || node.spec.kind == JoinKind::kFull; }
  bool has_left_rows() const { return node.spec.kind == JoinKind::kLeft || node.spec.kind == JoinKind::kFull; }
  bool keeps_probe() const { return probe_is_left ? has_left_rows() : has_right_rows(); }
  bool keeps_build() const { return probe_is_left ? has_right_rows() : has_left_rows(); }
  bool is_filter() const { return node.spec.kind == JoinKind::kSemi || node.spec.kind == JoinKind::kAnti; }

  void AddOutput(int at, int left, int right) {
    Output output{node.schema()->field(at)->type(), probe_is_left ? left : right, probe_is_left ? right : left};
    if (output.build >= 0) {
      const auto kept = std::find(kept_columns.begin(), kept_columns.end(), output.build);
      if (kept == kept_columns.end()) {
        kept_columns.push_back(output.build);
        output.build = static_cast<int>(kept_columns.size()) - 1;
      } else {
        output.build = static_cast<int>(kept - kept_columns.begin());
      }
    }
    outputs.push_back(std::move(output));
  }

  const frame::JoinNode& node;
  JoinTable table;
  const bool probe_is_left;
  std::vector<int> probe_keys;
  std::vector<int> build_keys;
  std::vector<int> kept_columns;  // of the build side
  SchemaPtr kept_schema;
  std::vector<Output> outputs;
};

class HashJoin::Build : public Operator {
 public:
  Build(const RunContext* run, Shape* shape) : Operator(run), shape_(shape) {}
  bool is_breaker() const override { return true; }

  Status DoFinish() override {
    shape_->table.Seal(shape_->kept_schema);
    return {};
  }

 protected:
  Status DoPush(int worker, const Chunk& chunk) override {
    KeyBatch keys;
    KeyEncoder encoder(shape_->build_keys);
    MUTIRAO_TRY(encoder.Encode(*chunk.batch, &keys));
    std::vector<ArrayPtr> columns;
    // Long keys may point into the key columns, which therefore stay too.
    for (int column : shape_->kept_columns) columns.push_back(chunk.batch->column(column));
    for (int column : shape_->build_keys) pinned_.Pin(chunk.batch->column(column));
    auto kept = arrow::RecordBatch::Make(shape_->kept_schema, chunk.batch->num_rows(), std::move(columns));
    shape_->table.Add(worker, {std::move(kept), chunk.position}, std::move(keys));
    return {};
  }

 private:
  class Pinned {
   public:
    void Pin(ArrayPtr array) {
      if (array->type_id() != arrow::Type::STRING && array->type_id() != arrow::Type::BINARY) return;
      const std::lock_guard lock(mutex_);
      arrays_.push_back(std::move(array));
    }

   private:
    std::mutex mutex_;
    std::vector<ArrayPtr> arrays_;
  };

  Shape* const shape_;
  Pinned pinned_;
};

class HashJoin::TablePhase : public Phase {
 public:
  TablePhase(const RunContext* run, Shape* shape) : run_(run), shape_(shape) {}

  Status Run(int) override {
    for (int part = next_.fetch_add(1); part < kRadixParts; part = next_.fetch_add(1)) {
      MUTIRAO_TRY(shape_->table.BuildPart(part, *run_));
    }
    return {};
  }

 private:
  const RunContext* const run_;
  Shape* const shape_;
  std::atomic<int> next_{0};
};

class HashJoin::Probe : public Operator, public MorselSource {
 public:
  Probe(const RunContext* run, Shape* shape, const Operator* build)
      : Operator(run), shape_(shape), build_(build), workers_(static_cast<size_t>(run->workers)) {}

  Result<frame::Morsel> Next(int number) override;

  void Report(NodeReport& report) const override {
    const bool left = shape_->probe_is_left;
    report.rows_in += left ? rows_in() : build_->rows_in();
    report.rows_right += left ? build_->rows_in() : rows_in();
    report.rows_out += rows_out();
    if (shape_->node.spec.kind == JoinKind::kCross) return;
    int64_t probe_unmatched = 0;
    for (const Worker& worker : workers_) probe_unmatched += worker.probe_unmatched;
    report.left_unmatched += left ? probe_unmatched : build_unmatched_.load();
    report.right_unmatched += left ? build_unmatched_.load() : probe_unmatched;
  }

 protected:
  Status DoPush(int number, const Chunk& chunk) override;

 private:
  struct Worker {
    KeyBatch keys;
    std::vector<JoinEntry*> found;
    std::vector<uint32_t> probe_rows;
    std::vector<RowRef> build_rows;
    int64_t probe_unmatched = 0;
    // Of the second pass.
    std::vector<RowRef> rest;
    size_t offset = 0;
    int64_t sequence = 0;
  };

  Status EmitFiltered(int number, const Chunk& chunk, Worker& worker);
  Status EmitJoined(int number, const Chunk& chunk, Worker& worker);
  Status EmitCross(int number, const Chunk& chunk, Worker& worker);
  Status EmitPairs(int number, const Chunk& chunk, Worker& worker, bool all_rows_once);
  void CollectRest(int part, std::vector<RowRef>& rest);
  Result<BatchPtr> BuildOnly(std::span<const RowRef> rows) const;
  BatchPtr MakeBatch(std::vector<ArrayPtr> columns, int64_t rows) const {
    return arrow::RecordBatch::Make(shape_->node.schema(), rows, std::move(columns));
  }

  Shape* const shape_;
  const Operator* const build_;
  std::vector<Worker> workers_;
  std::atomic<int> next_part_{0};
  std::atomic<int64_t> build_unmatched_{0};
};

Status HashJoin::Probe::DoPush(int number, const Chunk& chunk) {
  Worker& worker = workers_[static_cast<size_t>(number)];
  if (shape_->node.spec.kind == JoinKind::kCross) return EmitCross(number, chunk, worker);
  KeyEncoder encoder(shape_->probe_keys);
  MUTIRAO_TRY(encoder.Encode(*chunk.batch, &worker.keys));
  worker.found.resize(worker.keys.size());
  shape_->table.Find(worker.keys, worker.found.data());
  for (JoinEntry* entry : worker.found) {
    if (entry != nullptr) {
      entry->Mark();
    } else {
      ++worker.probe_unmatched;
    }
  }
  return shape_->is_filter() ? EmitFiltered(number, chunk, worker) : EmitJoined(number, chunk, worker);
}

// semi and anti, whose rows come from the left side alone: now when that is the probe side, in the second pass when it
// is in the table.
Status HashJoin::Probe::EmitFiltered(int number, const Chunk& chunk, Worker& worker) {
  if (!shape_->probe_is_left) return {};
  const bool wanted = shape_->node.spec.kind == JoinKind::kSemi;
  worker.probe_rows.clear();
  for (size_t row = 0; row < worker.found.size(); ++row) {
    if ((worker.found[row] != nullptr) == wanted) worker.probe_rows.push_back(static_cast<uint32_t>(row));
  }
  return EmitPairs(number, chunk, worker, true);
}

Status HashJoin::Probe::EmitJoined(int number, const Chunk& chunk, Worker& worker) {
  worker.probe_rows.clear();
  worker.build_rows.clear();
  const bool keeps_probe = shape_->keeps_probe();
  bool all_once = true;
  for (size_t row = 0; row < worker.found.size(); ++row) {
    JoinEntry* entry = worker.found[row];
    all_once &= entry != nullptr ? entry->next == 0 : keeps_probe;
    if (entry == nullptr && keeps_probe) {
      worker.probe_rows.push_back(static_cast<uint32_t>(row));
      worker.build_rows.push_back(kNoRow);
    }
    const uint32_t part = RadixOf(worker.keys.hashes[row]);
    for (; entry != nullptr; entry = shape_->table.Next(part, *entry)) {
      worker.probe_rows.push_back(static_cast<uint32_t>(row));
      worker.build_rows.push_back(entry->row);
      if (worker.probe_rows.size() < static_cast<size_t>(kBatchRows)) continue;
      MUTIRAO_TRY(EmitPairs(number, chunk, worker, all_once && row + 1 == worker.found.size()));
    }
  }
  return EmitPairs(number, chunk, worker, all_once);
}

Status HashJoin::Probe::EmitCross(int number, const Chunk& chunk, Worker& worker) {
  worker.probe_rows.clear();
  worker.build_rows.clear();
  for (uint32_t row = 0; row < chunk.batch->num_rows(); ++row) {
    for (const RowRef& other : shape_->table.all_rows()) {
      worker.probe_rows.push_back(row);
      worker.build_rows.push_back(other);
      if (worker.probe_rows.size() < static_cast<size_t>(kBatchRows)) continue;
      MUTIRAO_TRY(EmitPairs(number, chunk, worker, false));
    }
  }
  return EmitPairs(number, chunk, worker, false);
}

// `all_rows_once`: no probe row comes out twice, so that when all do their columns can be passed on as they are.
Status HashJoin::Probe::EmitPairs(int number, const Chunk& chunk, Worker& worker, bool all_rows_once) {
  if (worker.probe_rows.empty()) return {};
  MUTIRAO_TRY(run_->CheckStop());
  all_rows_once &= worker.probe_rows.size() == static_cast<size_t>(chunk.batch->num_rows());
  std::vector<ArrayPtr> columns;
  for (const Shape::Output& output : shape_->outputs) {
    ArrayPtr column;
    if (output.probe < 0) {
      column = MUTIRAO_TRY(shape_->table.column(output.build).Take(worker.build_rows));
    } else if (all_rows_once) {
      column = chunk.batch->column(output.probe);
    } else {
      column = MUTIRAO_TRY(TakeRows(chunk.batch->column(output.probe), worker.probe_rows));
    }
    columns.push_back(std::move(column));
  }
  const auto rows = static_cast<int64_t>(worker.probe_rows.size());
  worker.probe_rows.clear();
  worker.build_rows.clear();
  return Emit(number, {MakeBatch(std::move(columns), rows), chunk.position});
}

// Count the build rows without a partner of a part, and keep those that are to come out. Part kRadixParts stands for
// the rows whose key has a null.
void HashJoin::Probe::CollectRest(int part, std::vector<RowRef>& rest) {
  const bool wants_matched = !shape_->probe_is_left && shape_->node.spec.kind == JoinKind::kSemi;
  const bool wants_unmatched =
      shape_->keeps_build() || (!shape_->probe_is_left && shape_->node.spec.kind == JoinKind::kAnti);
  if (part == kRadixParts) {
    const auto& rows = shape_->table.null_rows();
    build_unmatched_ += static_cast<int64_t>(rows.size());
    if (wants_unmatched) rest.insert(rest.end(), rows.begin(), rows.end());
    return;
  }
  int64_t unmatched = 0;
  shape_->table.ForEachChain(part, [&](JoinEntry& head) {
    const bool matched = head.matched != 0;
    for (JoinEntry* entry = &head; entry != nullptr; entry = shape_->table.Next(static_cast<uint32_t>(part), *entry)) {
      unmatched += matched ? 0 : 1;
      if (matched ? wants_matched : wants_unmatched) rest.push_back(entry->row);
    }
  });
  build_unmatched_ += unmatched;
  std::sort(rest.begin(), rest.end(),
            [](const RowRef& x, const RowRef& y) { return x.chunk != y.chunk ? x.chunk < y.chunk : x.row < y.row; });
}

Result<BatchPtr> HashJoin::Probe::BuildOnly(std::span<const RowRef> rows) const {
  std::vector<ArrayPtr> columns;
  for (const Shape::Output& output : shape_->outputs) {
    ArrayPtr column;
    if (output.build < 0) {
      column = MUTIRAO_TRY(arrow::MakeArrayOfNull(output.type, static_cast<int64_t>(rows.size())));
    } else {
      column = MUTIRAO_TRY(shape_->table.column(output.build).Take(rows));
    }
    columns.push_back(std::move(column));
  }
  return MakeBatch(std::move(columns), static_cast<int64_t>(rows.size()));
}

Result<frame::Morsel> HashJoin::Probe::Next(int number) {
  if (shape_->node.spec.kind == JoinKind::kCross) return frame::Morsel{};
  Worker& worker = workers_[static_cast<size_t>(number)];
  while (worker.offset >= worker.rest.size()) {
    const int part = next_part_.fetch_add(1);
    if (part > kRadixParts) return frame::Morsel{};
    MUTIRAO_TRY(run_->CheckStop());
    worker.rest.clear();
    worker.offset = 0;
    worker.sequence = int64_t{part} << 32;
    CollectRest(part, worker.rest);
  }
  const auto rows =
      std::span(worker.rest).subspan(worker.offset, std::min(worker.rest.size() - worker.offset, size_t{kBatchRows}));
  BatchPtr batch = MUTIRAO_TRY(BuildOnly(rows));
  worker.offset += rows.size();
  return frame::Morsel{std::move(batch), worker.sequence++};
}

HashJoin::HashJoin(const RunContext* run, const frame::JoinNode& node, bool build_right)
    : shape_(std::make_unique<Shape>(run, node, build_right)),
      build_(std::make_unique<Build>(run, shape_.get())),
      table_phase_(std::make_unique<TablePhase>(run, shape_.get())),
      probe_(std::make_unique<Probe>(run, shape_.get(), build_.get())) {}
HashJoin::~HashJoin() = default;

Operator* HashJoin::build() {
  return build_.get();
}
Phase* HashJoin::table_phase() {
  return table_phase_.get();
}
Operator* HashJoin::probe() {
  return probe_.get();
}
MorselSource* HashJoin::rest() {
  return probe_.get();
}

}  // namespace mutirao::engine
