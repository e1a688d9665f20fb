#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "columnar/type.h"
#include "formats/csv/column_builder.h"
#include "formats/csv/read_plan.h"
#include "formats/csv/record_parser.h"

namespace mutirao::formats::csv {

/// Where in the rules the first byte of a chunk stands.
enum class StartState : uint8_t {
  kRecord,   ///< a record may begin
  kTooLong,  ///< in a record that is too long and was set aside: go on behind the next line end
};

/// What a parser must know of a chunk before its bytes.
struct ChunkPlace {
  int64_t offset = 0;  ///< of the first byte in the (inflated) file
  /// Line ends before the first byte; only needed for lines in provenance columns.
  int64_t line_base = 0;
  StartState start = StartState::kRecord;
  std::string_view source;
  std::string_view member;
};

/// A record that was set aside.
struct BadRecord {
  size_t begin = 0;       ///< in the chunk's bytes
  size_t lines_from = 0;  ///< where, in the chunk's bytes, counting its line began
  int64_t line = 0;       ///< line ends between there and it
  std::string column;
  std::string reason;
  std::string raw;
};

/// All that a chunk gave. Provisional until it is known that the chunk began where a record does.
struct ChunkResult {
  std::vector<BatchPtr> batches;
  std::vector<BadRecord> bad;
  int64_t records = 0;
  int64_t filtered = 0;
  int64_t delivered = 0;
  int64_t blank_lines = 0;
  int64_t nul_bytes = 0;
  int64_t values_nulled = 0;
  /// Bytes that belong to records that ended; what follows must be parsed again with more bytes behind it.
  size_t consumed = 0;
  StartState end = StartState::kRecord;
  /// A record that is too long was found by looking this far: a reader that sees fewer bytes would not know it.
  size_t looked_until = 0;
};

/// Turn a chunk of a file into batches.
///
/// Records are found window by window: by IndexWindow where the bytes are well-formed, by RecordParser everywhere
/// else. Values are read once per block of found records, column by column, after the predicate.
/// Threads: one at a time; a worker keeps one for all its chunks.
class ChunkParser {
 public:
  static Result<std::unique_ptr<ChunkParser>> Make(std::shared_ptr<const ReadPlan> plan);

  /// Begin a chunk. What `place` points to must outlive it.
  Status Begin(const ChunkPlace& place);

  /// Parse the bytes that come next, with kPadding readable bytes behind them; `at_end`: nothing follows in the file.
  /// Gives how many of them belong to records that ended: the others must come again, with more behind them.
  Result<size_t> Take(std::string_view bytes, bool at_end);

  Result<ChunkResult> Finish();

 private:
  explicit ChunkParser(std::shared_ptr<const ReadPlan> plan);
  Status MakeBuilders();

  size_t QuickWindow(size_t at);
  bool ExactRecord(size_t* at);
  void TakeRecord();
  void TakeBlank();
  size_t SkipTooLong();
  void AddBad(size_t begin, size_t end, std::string column, std::string reason);
  Status FlushRows();
  void SelectRows();
  void ConvertRows();
  void SetRowAside(uint32_t row, size_t field, std::string_view text);
  void AppendProvenance();
  Status FinishBatch();
  void FinishBadRecords();
  int64_t LineOf(size_t place);
  int64_t StoredBytesBefore(size_t place);

  std::shared_ptr<const ReadPlan> plan_;
  RecordParser parser_;
  FieldReader reader_;

  // Of the chunk being parsed.
  ChunkPlace place_;
  ChunkResult result_;
  bool wants_lines_ = false;
  int64_t lines_before_ = 0;  // in bytes taken before, when lines are wanted

  // Of the bytes being parsed; places in them count from their first.
  std::string_view bytes_;
  bool at_end_ = false;
  size_t bytes_before_ = 0;  // of the chunk
  size_t bad_before_ = 0;    // records set aside in bytes taken before
  RowIndex rows_;
  int64_t batch_rows_ = 0;
  size_t window_bytes_ = 0;    // shrinks where records are misshapen
  size_t largest_window_ = 0;  // no record in a window can be too long
  size_t exact_until_ = 0;     // the quick path found something before this place
  size_t line_place_ = 0;      // line ends before it are counted
  int64_t line_count_ = 0;
  bool wants_offsets_ = false;
  size_t stored_place_ = 0;  // bytes of the file before it are counted; only for utf-16
  int64_t stored_bytes_ = 0;

  // Reused.
  Record record_;
  std::vector<uint32_t> selection_;
  std::vector<uint32_t> places_;  // of the selected rows among those that were converted
  PushedFilter::Scratch filter_scratch_;
  std::vector<PushedFilter::BadField> bad_fields_;
  std::vector<std::unique_ptr<ColumnBuilder>> builders_;  // one a wanted column; null for provenance
  struct Provenance;
  std::unique_ptr<Provenance> provenance_;

 public:
  ~ChunkParser();
};

}  // namespace mutirao::formats::csv
