#include "storage/object_file.h"

#include <algorithm>

#include <arrow/buffer.h>

#include "columnar/arrow_status.h"

namespace mutirao::storage {

arrow::Status ObjectFile::Close() {
  closed_ = true;
  return arrow::Status::OK();
}

arrow::Status ObjectFile::Seek(int64_t position) {
  if (position < 0) return arrow::Status::Invalid("seeking before the beginning of ", object_->uri());
  position_ = position;
  return arrow::Status::OK();
}

arrow::Result<int64_t> ObjectFile::ReadAt(int64_t position, int64_t size, void* out) {
  if (position < 0 || size < 0) return arrow::Status::Invalid("reading before the beginning of ", object_->uri());
  auto read = object_->ReadAt(position, {static_cast<std::byte*>(out), static_cast<size_t>(size)});
  if (!read.ok()) return ToArrow(read.status());
  return *read;
}

arrow::Result<std::shared_ptr<arrow::Buffer>> ObjectFile::ReadAt(int64_t position, int64_t size) {
  // A size from a damaged file must not be allocated before it is known to be there.
  int64_t available = std::clamp<int64_t>(object_->size() - position, 0, std::max<int64_t>(size, 0));
  ARROW_ASSIGN_OR_RAISE(auto buffer, arrow::AllocateResizableBuffer(available));
  ARROW_ASSIGN_OR_RAISE(int64_t read, ReadAt(position, available, buffer->mutable_data()));
  ARROW_RETURN_NOT_OK(buffer->Resize(read));
  return std::shared_ptr<arrow::Buffer>(std::move(buffer));
}

arrow::Result<int64_t> ObjectFile::Read(int64_t size, void* out) {
  ARROW_ASSIGN_OR_RAISE(int64_t read, ReadAt(position_, size, out));
  position_ += read;
  return read;
}

arrow::Result<std::shared_ptr<arrow::Buffer>> ObjectFile::Read(int64_t size) {
  ARROW_ASSIGN_OR_RAISE(auto buffer, ReadAt(position_, size));
  position_ += buffer->size();
  return buffer;
}

}  // namespace mutirao::storage
