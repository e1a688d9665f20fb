#include "storage/file_output.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <utility>

#include "columnar/arrow_status.h"
#include "storage/system_error.h"

namespace mutirao::storage {
namespace {

constexpr size_t kBufferBytes = size_t{1} << 20;
constexpr int64_t kHandOverBytes = int64_t{8} << 20;
// What is left of a file that others are written after.
constexpr int64_t kRestBytes = int64_t{1} << 20;

}  // namespace

Result<std::shared_ptr<FileOutput>> FileOutput::Make(const std::string& path) {
  std::error_code error;
  std::filesystem::create_directories(std::filesystem::path(path).parent_path(), error);
  if (error) return SystemError("making the folder of", path, error.value());
  int fd = open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
  if (fd < 0) return SystemError("making", path, errno);
  return std::shared_ptr<FileOutput>(new FileOutput(path, fd));
}

FileOutput::FileOutput(std::string path, int fd) : path_(std::move(path)), fd_(fd) {
  set_mode(arrow::io::FileMode::WRITE);
}

FileOutput::~FileOutput() {
  if (fd_ >= 0) close(fd_);
  if (!keep_) unlink(path_.c_str());
}

Status FileOutput::WriteOut(const char* data, int64_t size) {
  while (size > 0) {
    ssize_t n = write(fd_, data, static_cast<size_t>(size));
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return failed_ = SystemError("writing", path_, errno);
    data += n;
    size -= n;
    written_ += n;
  }
  if (written_ - handed_to_disk_ >= kHandOverBytes) HandToDisk();
  return Status::Ok();
}

void FileOutput::HandToDisk() {
  sync_file_range(fd_, handed_to_disk_, written_ - handed_to_disk_, SYNC_FILE_RANGE_WRITE);
  handed_to_disk_ = written_;
}

arrow::Status FileOutput::Write(const void* data, int64_t size) {
  if (!failed_.ok()) return ToArrow(failed_);
  if (fd_ < 0) return arrow::Status::Invalid("writing to a closed file: ", path_);
  auto bytes = static_cast<const char*>(data);
  if (buffer_.size() + static_cast<size_t>(size) > kBufferBytes) ARROW_RETURN_NOT_OK(Flush());
  if (static_cast<size_t>(size) >= kBufferBytes) return ToArrow(WriteOut(bytes, size));
  buffer_.append(bytes, static_cast<size_t>(size));
  return arrow::Status::OK();
}

arrow::Status FileOutput::Flush() {
  if (!failed_.ok()) return ToArrow(failed_);
  std::string pending = std::exchange(buffer_, {});
  Status written = WriteOut(pending.data(), static_cast<int64_t>(pending.size()));
  pending.clear();
  buffer_ = std::move(pending);
  return ToArrow(written);
}

Status FileOutput::CloseDescriptor() {
  if (fd_ < 0) return failed_;
  Status flushed = FromArrow(Flush());
  if (close(std::exchange(fd_, -1)) != 0 && flushed.ok()) failed_ = SystemError("closing", path_, errno);
  return failed_;
}

arrow::Status FileOutput::Close() {
  return ToArrow(CloseDescriptor());
}

arrow::Status FileOutput::Abort() {
  if (failed_.ok()) failed_ = Status::Cancelled("the writing of " + path_ + " was given up");
  if (fd_ >= 0) close(std::exchange(fd_, -1));
  return arrow::Status::OK();
}

Status FileOutput::Keep() {
  MUTIRAO_TRY(FromArrow(Flush()));
  if (fd_ >= 0 && written_ - handed_to_disk_ >= kRestBytes) HandToDisk();
  MUTIRAO_TRY(CloseDescriptor());
  keep_ = true;
  return Status::Ok();
}

}  // namespace mutirao::storage
