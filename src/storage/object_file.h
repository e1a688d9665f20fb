#pragma once

#include <memory>
#include <string>

#include <arrow/io/interfaces.h>

#include "storage/storage.h"

namespace mutirao::storage {

/// Read a stored object through Arrow's interface. Ownership: owns the object. Threads: ReadAt by any, the rest by one.
class ObjectFile : public arrow::io::RandomAccessFile {
 public:
  explicit ObjectFile(std::unique_ptr<Object> object) : object_(std::move(object)) {}

  arrow::Status Close() override;
  bool closed() const override { return closed_; }
  arrow::Result<int64_t> Tell() const override { return position_; }
  arrow::Status Seek(int64_t position) override;
  arrow::Result<int64_t> GetSize() override { return object_->size(); }
  arrow::Result<int64_t> Read(int64_t size, void* out) override;
  arrow::Result<std::shared_ptr<arrow::Buffer>> Read(int64_t size) override;
  arrow::Result<int64_t> ReadAt(int64_t position, int64_t size, void* out) override;
  arrow::Result<std::shared_ptr<arrow::Buffer>> ReadAt(int64_t position, int64_t size) override;

  const Object& object() const { return *object_; }

 private:
  std::unique_ptr<Object> object_;
  int64_t position_ = 0;
  bool closed_ = false;
};

}  // namespace mutirao::storage
