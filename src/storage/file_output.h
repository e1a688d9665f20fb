#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include <arrow/io/interfaces.h>

#include <mutirao/status.h>

namespace mutirao::storage {

/// Write a new staged file through Arrow's stream interface without Arrow's habit of publishing on failure.
///
/// Close() only ends the writing; Keep() says that the bytes are complete. A FileOutput destroyed before Keep() removes
/// its file. Bytes are handed to the disk while writing goes on, so that the fsync of publishing has little left to do.
///
/// Threads: one at a time. Errors: sticky; after a failed write nothing is written any more and every call fails.
class FileOutput : public arrow::io::OutputStream {
 public:
  /// Make the file and the folders above it. Errors: kAlreadyExists; kExhausted; kIo.
  static Result<std::shared_ptr<FileOutput>> Make(const std::string& path);
  ~FileOutput() override;

  arrow::Status Write(const void* data, int64_t size) override;
  using arrow::io::OutputStream::Write;
  arrow::Status Flush() override;
  arrow::Status Close() override;
  /// Drops what was written; Arrow's default would keep it.
  arrow::Status Abort() override;
  arrow::Result<int64_t> Tell() const override { return written_ + static_cast<int64_t>(buffer_.size()); }
  bool closed() const override { return fd_ < 0; }

  /// Close the file and let it stay. Errors: the first of any write.
  Status Keep();

  const std::string& path() const { return path_; }
  /// The first failure, with its code and help, which Arrow's own status would lose.
  const Status& failed() const { return failed_; }

 private:
  FileOutput(std::string path, int fd);
  Status WriteOut(const char* data, int64_t size);
  void HandToDisk();
  Status CloseDescriptor();

  std::string path_;
  int fd_;
  bool keep_ = false;
  std::string buffer_;
  int64_t written_ = 0;
  int64_t handed_to_disk_ = 0;
  Status failed_;
};

}  // namespace mutirao::storage
