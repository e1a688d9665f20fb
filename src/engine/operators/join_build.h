#pragma once

#include <deque>
#include <mutex>
#include <vector>

#include "engine/operators/join_state.h"
#include "engine/pipeline/operator.h"

namespace mutirao::engine {

/// Take the build side of a join: into its table while there is memory, into files where there is none.
class JoinBuild : public Operator {
 public:
  JoinBuild(const RunContext* run, JoinState* state);

  bool is_breaker() const override { return true; }
  Status DoFinishWorker(int worker) override { return Route(worker); }
  Status DoFinish() override;

 protected:
  Status DoPush(int worker, const Chunk& chunk) override;

 private:
  struct Waiting {
    std::deque<Chunk> chunks;
    uint64_t aside = 0;  // what was set aside when its rows were put into the table
  };

  Status Route(int worker);
  Result<bool> Keep(int worker, const Chunk& chunk);
  Status SetAside(int worker, const Chunk& chunk, const KeyBatch& keys, std::vector<uint32_t>& kept);
  Result<bool> AddToTable(int worker, const Chunk& chunk, const KeyBatch& keys);
  void SetMoreAside(int worker);

  JoinState* const state_;
  std::vector<Waiting> waiting_;
  std::mutex mutex_;  // of changes to what is set aside
  std::atomic<uint64_t> rows_{0};
};

}  // namespace mutirao::engine
