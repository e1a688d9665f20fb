#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "formats/csv/chunk.h"
#include "formats/csv/input.h"
#include "formats/csv/preamble.h"

namespace mutirao::formats::csv {

/// Unpack an input on a thread of its own, ahead of those that parse, and cut it into chunks.
///
/// Ownership: ends its thread when destroyed. Threads: TryPop and Finished by any.
class StreamFeed {
 public:
  struct Options {
    Dialect dialect;
    storage::Reading reading;
    int64_t chunk_bytes = int64_t{4} << 20;
    /// Tell the line ends before every chunk, not only before the first: work that others can do side by side. Done
    /// anyway where CR ends lines, since whether it does is seen in the next chunk.
    bool count_lines = false;
    /// Chunks that may wait to be taken: enough for what is unpacked while the workers write row groups.
    size_t ahead = 12;
    /// Checks the header of the input; runs on the feed's thread.
    std::function<Status(const Preamble&)> check_preamble;
    /// Called after something changed, without any lock of the feed held.
    std::function<void()> notify;
  };

  StreamFeed(Input input, Options options);
  ~StreamFeed();

  /// Give the next chunk in order, or nothing when none is ready (yet, or any more: see finished()).
  /// Errors: what went wrong while unpacking, after all chunks before it were taken.
  Result<std::optional<Chunk>> TryPop();

  /// All chunks were taken and no more will come.
  bool finished() const;

  /// The text is utf-16 with this byte order. REQUIRES: a chunk was taken.
  bool big_endian() const { return big_endian_; }

 private:
  void Run(std::stop_token stop);
  Status Produce(const std::stop_token& stop);
  bool Push(Chunk chunk, const std::stop_token& stop);

  const Input input_;
  const Options options_;
  bool big_endian_ = false;  // written before the first chunk is pushed

  mutable std::mutex mutex_;
  std::condition_variable_any room_;
  std::deque<Chunk> ready_;  // guarded by mutex_
  bool ended_ = false;       // guarded by mutex_
  Status failure_;           // guarded by mutex_

  std::jthread thread_;
};

}  // namespace mutirao::formats::csv
