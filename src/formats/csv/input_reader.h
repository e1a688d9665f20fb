#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "formats/csv/chunk.h"
#include "formats/csv/chunk_parser.h"
#include "formats/csv/input.h"
#include "formats/csv/line_counter.h"
#include "formats/csv/preamble.h"
#include "formats/csv/read_plan.h"
#include "formats/csv/stream_feed.h"

namespace mutirao::formats::csv {

/// Hand out the chunks of one input, whether they are read from any place of a plain file or come from a stream.
///
/// Threads: Open once; then every call by any thread.
class InputReader {
 public:
  InputReader(const Input& input, std::shared_ptr<const ReadPlan> plan);

  /// Read what stands before the data, or start the thread that does.
  Status Open(std::function<Status(const Preamble&)> check_preamble, std::function<void()> notify);

  /// Claim the next chunk: of a file a place that Load() reads, of a stream the bytes themselves. Nothing when there
  /// is none now; exhausted() says whether there ever will be.
  Result<std::optional<Chunk>> Claim();
  bool exhausted() const;

  /// Told what comes next and whether it is the last of the chunk; says how much of it is done with.
  using TakePiece = std::function<Result<size_t>(std::string_view bytes, bool last)>;

  /// Find the true edges of a claimed chunk and hand its bytes to `take`, piece by piece. `begun` is called before,
  /// when it is known where the chunk begins. `buffer` is reused between calls. REQUIRES: seekable().
  Status ReadPieces(Chunk* chunk, std::string* buffer, const std::function<Status()>& begun,
                    const TakePiece& take) const;

  /// Read a file's bytes from `begin` to the end of a chunk again.
  Result<Chunk> LoadFrom(int64_t begin, const Chunk& chunk) const;

  /// Line ends before the first byte of a chunk.
  Result<int64_t> LineBase(const Chunk& chunk) const;
  /// Line ends before a place of a file. REQUIRES: seekable().
  Result<int64_t> LinesBefore(int64_t offset) const { return lines_->LinesBefore(offset); }

  const Input& input() const { return input_; }
  bool seekable() const { return seekable_; }
  int64_t data_begin() const { return data_begin_; }
  bool big_endian() const { return stream_ && stream_->big_endian(); }
  /// The last chunk ends where the file does, not only the split.
  bool ends_file() const { return !seekable_ || data_end_ == input_.file.size; }

 private:
  Status OpenFileRange(const std::function<Status(const Preamble&)>& check_preamble);
  Result<Chunk> ReadRange(int64_t begin, int64_t end) const;
  Status ReadFully(int64_t begin, std::span<char> out) const;

  const Input input_;
  const std::shared_ptr<const ReadPlan> plan_;
  const bool seekable_;

  // Of files; constant after Open, but for the next place to claim, which the scan's lock guards.
  std::shared_ptr<const storage::Object> object_;
  std::unique_ptr<LineCounter> lines_;
  int64_t data_begin_ = 0;
  int64_t data_end_ = 0;
  int64_t next_begin_ = 0;
  int64_t next_ordinal_ = 0;
  bool all_claimed_ = false;

  std::unique_ptr<StreamFeed> stream_;
};

}  // namespace mutirao::formats::csv
