#include "engine/operators/join.h"

#include <algorithm>
#include <atomic>
#include <bit>

#include <arrow/api.h>

#include "columnar/arrow_status.h"
#include "engine/operators/join_build.h"
#include "engine/operators/join_order.h"
#include "engine/operators/join_pieces.h"
#include "engine/operators/join_state.h"
#include "engine/operators/kept_tables.h"

namespace mutirao::engine {

class HashJoin::TablePhase : public Phase {
 public:
  TablePhase(const RunContext* run, JoinState* state) : run_(run), state_(state) {}

  Status Run(int worker) override {
    if (state_->built_table == nullptr) return {};
    const Profiler::Scope scope(run_->profiler, worker, run_->node, ProfileSpan::kFinish);
    for (int part = next_.fetch_add(1); part < kRadixParts; part = next_.fetch_add(1)) {
      MUTIRAO_TRY(state_->built_table->BuildPart(part, *run_));
    }
    return {};
  }
  Status Finish(int) override {
    if (state_->built_table != nullptr) {
      state_->built_table->EndBuilding();
      KeepTable();
    } else {
      state_->worker(0).share.Reserve(state_->kept_bytes);
    }
    for (auto& worker : state_->workers) {
      worker->matched = MatchedRows(state_->table->rows());
      worker->share.Reserve(static_cast<int64_t>(worker->matched.bytes().size()));
    }
    return {};
  }

  double share() const { return std::min(1.0, static_cast<double>(next_) / kRadixParts); }

 private:
  void KeepTable() {
    if (state_->kept_name.empty() || state_->has_aside()) return;
    int64_t bytes = 0;
    for (const auto& worker : state_->workers) bytes += worker->share.held();
    run_->options->kept_tables->Keep(state_->kept_name, {state_->table, bytes});
  }

  const RunContext* const run_;
  JoinState* const state_;
  std::atomic<int> next_{0};
};

class HashJoin::Probe : public Operator, public MorselSource {
 public:
  Probe(const RunContext* run, JoinState* state, const Operator* build)
      : Operator(run), state_(state), build_(build), rests_(static_cast<size_t>(run->workers)) {}

  Status DoFinishWorker(int number) override {
    const auto& aside = state_->worker(number).probe_aside;
    return aside ? aside->Flush() : Status();
  }

  Status Start() override {
    CollectMatched();
    return {};
  }
  Result<frame::Morsel> Next(int number) override;
  Status Close() override {
    // A limit that is full leaves out parts: then nobody knows which rows would have had a partner.
    if (!state_->shape.is_cross() && next_part_ > kRadixParts) {
      CollectMatched();
      state_->build_unmatched += static_cast<int64_t>(state_->table->rows() - state_->matched.count());
      TellPartners();
    }
    // The table is of no use any more.
    state_->table.reset();
    state_->built_table.reset();
    for (auto& worker : state_->workers) worker->share.Hold(0);
    if (state_->has_aside()) ReturnFreedMemory();
    return {};
  }

  void Report(NodeReport& report) const override {
    const bool left = state_->shape.probe_is_left;
    report.hashed_right = left;
    const int64_t build_rows = state_->kept_rows + build_->rows_in();
    report.rows_in += left ? rows_in() : build_rows;
    report.rows_right += left ? build_rows : rows_in();
    report.rows_out += rows_out();
    if (state_->shape.is_cross()) return;
    report.partners = partners_;
    int64_t probe_unmatched = state_->probe_unmatched;
    for (const auto& worker : state_->workers) probe_unmatched += worker->pairs.unmatched();
    report.left_unmatched += left ? probe_unmatched : state_->build_unmatched.load();
    report.right_unmatched += left ? state_->build_unmatched.load() : probe_unmatched;
  }

 protected:
  Status DoPush(int number, const Chunk& chunk) override;

 private:
  Result<BatchPtr> SetAside(JoinState::Worker& worker, const Chunk& chunk);
  void CollectMatched();
  void TellPartners();

  struct alignas(64) Rest {
    std::vector<RowRef> rows;
    size_t offset = 0;
    int64_t sequence = 0;
  };

  JoinState* const state_;
  const Operator* const build_;
  std::vector<Rest> rests_;  // one a worker
  std::atomic<int> next_part_{0};
  std::shared_ptr<const std::vector<uint8_t>> partners_;
};

void HashJoin::Probe::CollectMatched() {
  state_->matched = MatchedRows(state_->table->rows());
  for (const auto& worker : state_->workers) state_->matched.AddAll(worker->matched);
}

void HashJoin::Probe::TellPartners() {
  const bool as_asked = state_->shape.probe_is_left == state_->shape.node.spec.build_right;
  if (!run_->options->tell_partners || !as_asked || state_->has_aside()) return;
  partners_ = std::make_shared<const std::vector<uint8_t>>(state_->matched.bytes());
}

Status HashJoin::Probe::DoPush(int number, const Chunk& chunk) {
  JoinState::Worker& worker = state_->worker(number);
  BatchPtr probed = chunk.batch;
  if (state_->has_aside()) probed = MUTIRAO_TRY(SetAside(worker, chunk));
  if (probed->num_rows() == 0) return {};
  MUTIRAO_TRY(worker.pairs.Begin(probed, state_->table.get(), worker.matched));
  for (;;) {
    MUTIRAO_TRY(run_->CheckStop());
    BatchPtr batch = MUTIRAO_TRY(worker.pairs.Next());
    if (batch == nullptr) return {};
    MUTIRAO_TRY(Emit(number, {std::move(batch), chunk.position}));
  }
}

// Hand the rows of parts that are set aside to the file, and give the others.
Result<BatchPtr> HashJoin::Probe::SetAside(JoinState::Worker& worker, const Chunk& chunk) {
  if (worker.probe_aside == nullptr) {
    const int64_t buffer = state_->buffer_bytes();
    worker.probe_aside = std::make_unique<SpillPartitions>(&state_->probe_file, JoinState::kPartitions, buffer);
    worker.share.Reserve(buffer);
  }
  const auto rows = static_cast<uint32_t>(chunk.batch->num_rows());
  std::vector<uint32_t> partitions(rows, 0), here;
  if (!state_->shape.is_cross()) {
    KeyEncoder encoder(state_->shape.probe_keys);
    MUTIRAO_TRY(encoder.Encode(*chunk.batch, &worker.keys));
    for (uint32_t row = 0; row < rows; ++row) {
      partitions[row] = state_->table->PartOf(worker.keys.hashes[row]);
      if (worker.keys.is_null(row)) partitions[row] = JoinState::kNullPart;
      if (state_->keeps_order || (!worker.keys.is_null(row) && state_->is_aside(partitions[row]))) continue;
      partitions[row] = SpillPartitions::kDropRow;
      here.push_back(row);
    }
  }
  if (here.size() == rows) return chunk.batch;
  BatchPtr aside = chunk.batch;
  if (state_->keeps_order) aside = JoinState::WithPlaces(chunk, &worker.probe_rows_seen);
  MUTIRAO_TRY(worker.probe_aside->Add(aside, partitions));
  return TakeRows(chunk.batch, here);
}

// Rows of the table that come out without, or because of, a partner.
Result<frame::Morsel> HashJoin::Probe::Next(int number) {
  if (state_->shape.is_cross()) return frame::Morsel{};
  Rest& rest = rests_[static_cast<size_t>(number)];
  while (rest.offset >= rest.rows.size()) {
    const int part = next_part_.fetch_add(1);
    if (part > kRadixParts) return frame::Morsel{};
    MUTIRAO_TRY(run_->CheckStop());
    rest.rows.clear();
    rest.offset = 0;
    rest.sequence = int64_t{part} << 32;
    CollectRest(state_->shape, *state_->table, part, state_->matched, state_->worker(number).matched, rest.rows);
  }
  const auto rows =
      std::span(rest.rows).subspan(rest.offset, std::min(rest.rows.size() - rest.offset, size_t{kBatchRows}));
  BatchPtr batch = MUTIRAO_TRY(JoinPairs::OfBuildRows(state_->shape, *state_->table, rows));
  rest.offset += rows.size();
  return frame::Morsel{std::move(batch), rest.sequence++};
}

class HashJoin::Aside : public MorselSource {
 public:
  explicit Aside(JoinState* state) : state_(state) {
    for (int worker = 0; worker < state->run->workers; ++worker) readers_.emplace_back(state, &pieces_, worker);
  }

  Status Start() override {
    if (!state_->has_aside()) return {};
    pieces_.Fill(*state_);
    return state_->keeps_order ? Sort() : Status();
  }
  Result<frame::Morsel> Next(int worker) override {
    if (!state_->has_aside()) return frame::Morsel{};
    if (state_->keeps_order) return order_->Next();
    BatchPtr batch = MUTIRAO_TRY(readers_[static_cast<size_t>(worker)].Next());
    return frame::Morsel{std::move(batch), sequence_.fetch_add(1)};
  }
  Status Close() override {
    for (auto& worker : state_->workers) worker->share.Close();
    return {};
  }
  double share() const { return pieces_.share(); }

 private:
  // One worker joins all pieces; the others wait.
  Status Sort() {
    MemoryShare& share = state_->worker(0).share;
    for (size_t i = 1; i < state_->workers.size(); ++i) state_->workers[i]->share.Close();
    order_ = std::make_unique<JoinOrder>(state_);
    for (;;) {
      BatchPtr batch = MUTIRAO_TRY(readers_[0].Next());
      if (batch == nullptr) return order_->Start(share);
      MUTIRAO_TRY(order_->Add(batch));
    }
  }

  JoinState* const state_;
  JoinPieces pieces_;
  std::unique_ptr<JoinOrder> order_;
  std::vector<JoinPieceReader> readers_;
  std::atomic<int64_t> sequence_{0};
};

HashJoin::HashJoin(const RunContext* run, const frame::JoinNode& node, bool build_right, bool keeps_order)
    : state_(std::make_unique<JoinState>(run, node, build_right, keeps_order)),
      build_(std::make_unique<JoinBuild>(run, state_.get())),
      table_phase_(std::make_unique<TablePhase>(run, state_.get())),
      probe_(std::make_unique<Probe>(run, state_.get(), build_.get())),
      aside_(std::make_unique<Aside>(state_.get())) {}
HashJoin::~HashJoin() = default;

bool HashJoin::is_built() const {
  return state_->built_table == nullptr;
}
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
MorselSource* HashJoin::aside() {
  return aside_.get();
}
double HashJoin::table_built() const {
  return table_phase_->share();
}
double HashJoin::set_aside() const {
  return static_cast<double>(std::popcount(state_->aside.load(std::memory_order_relaxed))) / kRadixParts;
}
double HashJoin::aside_joined() const {
  return aside_->share();
}

}  // namespace mutirao::engine
