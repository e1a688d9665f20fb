#include "engine/memory/spill_file.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

#include <arrow/api.h>

#include "columnar/arrow_status.h"
#include "engine/memory/batch_bytes.h"
#include "engine/memory/packed_batch.h"
#include "storage/write_pieces.h"

namespace mutirao::engine {
namespace {

constexpr int64_t kPage = 4096;

}  // namespace

SpillFile::~SpillFile() {
  if (fd_ >= 0) close(fd_);
}

Status SpillFile::Open() {
  if (fd_ >= 0) return {};
  fd_ = MUTIRAO_TRY(place_->MakeFile());
  return {};
}

Result<SpillBlock> SpillFile::Write(const arrow::RecordBatch& batch) {
  const PackedBatch packed = MUTIRAO_TRY(PackBatch(batch, Packing::kSmall));
  SpillBlock block{.length = packed.bytes, .rows = batch.num_rows(), .memory = BytesOfRows(batch)};
  {
    const std::lock_guard lock(mutex_);
    MUTIRAO_TRY(Open());
    block.offset = end_;
    // Each block has pages of its own, so that they can be given back.
    end_ += (block.length + kPage - 1) / kPage * kPage;
  }
  if (const int error = storage::WritePieces(fd_, packed.pieces, block.offset); error != 0) {
    return place_->Failure("setting rows aside in", error);
  }
  place_->AddBytes(block.length);
  return block;
}

Result<BatchPtr> SpillFile::Read(const SpillBlock& block) const {
  std::shared_ptr<arrow::Buffer> bytes = MUTIRAO_TRY(arrow::AllocateBuffer(block.length));
  int64_t done = 0;
  while (done < block.length) {
    const ssize_t n =
        pread(fd_, bytes->mutable_data() + done, static_cast<size_t>(block.length - done), block.offset + done);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return place_->Failure("reading back what was set aside in", errno);
    if (n == 0) return Status::Io("a spill file in " + place_->folder() + " ends early");
    done += n;
  }
  return UnpackBatch(*bytes, block.rows, schema_);
}

void SpillFile::WillRead(std::span<const SpillBlock> blocks) const {
  // A file system that cannot do it reads them when they are asked for.
  for (const SpillBlock& block : blocks) (void)posix_fadvise(fd_, block.offset, block.length, POSIX_FADV_WILLNEED);
}

Result<BatchPtr> SpillFile::Take(const SpillBlock& block) {
  BatchPtr batch = MUTIRAO_TRY(Read(block));
  // A file system that cannot do it keeps the bytes until the file goes.
  (void)fallocate(fd_, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, block.offset,
                  (block.length + kPage - 1) / kPage * kPage);
  return batch;
}

}  // namespace mutirao::engine
