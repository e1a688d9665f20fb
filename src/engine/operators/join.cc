#include "engine/operators/join.h"

#include <algorithm>
#include <atomic>

#include <arrow/api.h>

#include "columnar/arrow_status.h"
#include "engine/operators/join_pairs.h"

namespace mutirao::engine {

// What the three parts share.
struct HashJoin::State {
  State(const RunContext* run, const frame::JoinNode& join, bool build_right)
      : shape(join, build_right), table(run->workers) {}

  const JoinShape shape;
  JoinTable table;
};

class HashJoin::Build : public Operator {
 public:
  Build(const RunContext* run, State* state) : Operator(run), state_(state) {}
  bool is_breaker() const override { return true; }

  Status DoFinish() override { return state_->table.Seal(*state_->shape.build_schema, state_->shape.kept_columns); }

 protected:
  Status DoPush(int worker, const Chunk& chunk) override {
    const JoinShape& shape = state_->shape;
    BatchPtr kept = MUTIRAO_TRY(chunk.batch->SelectColumns(shape.build_columns));
    KeyBatch keys;
    if (!shape.is_cross()) {
      KeyEncoder encoder(shape.build_keys);
      MUTIRAO_TRY(encoder.Encode(*kept, &keys));
    }
    state_->table.Add(worker, {std::move(kept), chunk.position}, keys);
    return {};
  }

 private:
  State* const state_;
};

class HashJoin::TablePhase : public Phase {
 public:
  TablePhase(const RunContext* run, State* state) : run_(run), state_(state) {}

  Status Run(int) override {
    for (int part = next_.fetch_add(1); part < kRadixParts; part = next_.fetch_add(1)) {
      MUTIRAO_TRY(state_->table.BuildPart(part, *run_));
    }
    return {};
  }
  Status Finish() override {
    state_->table.EndBuilding();
    return {};
  }

 private:
  const RunContext* const run_;
  State* const state_;
  std::atomic<int> next_{0};
};

class HashJoin::Probe : public Operator, public MorselSource {
 public:
  Probe(const RunContext* run, State* state, const Operator* build) : Operator(run), state_(state), build_(build) {
    for (int i = 0; i < run->workers; ++i) workers_.emplace_back(&state->shape);
  }

  Result<frame::Morsel> Next(int number) override;

  void Report(NodeReport& report) const override {
    const bool left = state_->shape.probe_is_left;
    report.rows_in += left ? rows_in() : build_->rows_in();
    report.rows_right += left ? build_->rows_in() : rows_in();
    report.rows_out += rows_out();
    if (state_->shape.is_cross()) return;
    int64_t probe_unmatched = 0;
    for (const Worker& worker : workers_) probe_unmatched += worker.pairs.unmatched();
    report.left_unmatched += left ? probe_unmatched : build_unmatched_.load();
    report.right_unmatched += left ? build_unmatched_.load() : probe_unmatched;
  }

 protected:
  Status DoPush(int number, const Chunk& chunk) override {
    JoinPairs& pairs = workers_[static_cast<size_t>(number)].pairs;
    MUTIRAO_TRY(pairs.Begin(chunk.batch, &state_->table));
    for (;;) {
      MUTIRAO_TRY(run_->CheckStop());
      BatchPtr batch = MUTIRAO_TRY(pairs.Next());
      if (batch == nullptr) return {};
      MUTIRAO_TRY(Emit(number, {std::move(batch), chunk.position}));
    }
  }

 private:
  struct alignas(64) Worker {
    explicit Worker(const JoinShape* shape) : pairs(shape) {}
    JoinPairs pairs;
    // Of the second pass.
    std::vector<RowRef> rest;
    size_t offset = 0;
    int64_t sequence = 0;
  };

  State* const state_;
  const Operator* const build_;
  std::vector<Worker> workers_;
  std::atomic<int> next_part_{0};
  std::atomic<int64_t> build_unmatched_{0};
};

Result<frame::Morsel> HashJoin::Probe::Next(int number) {
  if (state_->shape.is_cross()) return frame::Morsel{};
  Worker& worker = workers_[static_cast<size_t>(number)];
  while (worker.offset >= worker.rest.size()) {
    const int part = next_part_.fetch_add(1);
    if (part > kRadixParts) return frame::Morsel{};
    MUTIRAO_TRY(run_->CheckStop());
    worker.rest.clear();
    worker.offset = 0;
    worker.sequence = int64_t{part} << 32;
    build_unmatched_ += CollectRest(state_->shape, state_->table, part, worker.rest);
  }
  const auto rows =
      std::span(worker.rest).subspan(worker.offset, std::min(worker.rest.size() - worker.offset, size_t{kBatchRows}));
  BatchPtr batch = MUTIRAO_TRY(JoinPairs::OfBuildRows(state_->shape, state_->table, rows));
  worker.offset += rows.size();
  return frame::Morsel{std::move(batch), worker.sequence++};
}

HashJoin::HashJoin(const RunContext* run, const frame::JoinNode& node, bool build_right)
    : state_(std::make_unique<State>(run, node, build_right)),
      build_(std::make_unique<Build>(run, state_.get())),
      table_phase_(std::make_unique<TablePhase>(run, state_.get())),
      probe_(std::make_unique<Probe>(run, state_.get(), build_.get())) {}
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
