#include "engine/exchange/exchange_file.h"

#include <cstring>
#include <filesystem>

#include <arrow/buffer.h>
#include <arrow/io/file.h>

#include "columnar/arrow_status.h"

namespace mutirao::engine {
namespace {

constexpr std::string_view kMark = "MUTXCH02";
constexpr int64_t kTail = 16;

Status Broken(const storage::Object& file, const std::string& why) {
  return Status::Invalid(file.uri() + " is not a whole exchange file: " + why);
}

Status ReadExactly(const storage::Object& file, int64_t offset, char* out, int64_t length) {
  int64_t read = MUTIRAO_TRY(file.ReadAt(offset, std::as_writable_bytes(std::span(out, static_cast<size_t>(length)))));
  return read == length ? Status() : Broken(file, "it ends early");
}

}  // namespace

std::string ExchangeIndex::ToFooter() const {
  Json json = Json::array();
  for (const auto& blocks : buckets) {
    Json list = Json::array();
    for (const ExchangeBlock& block : blocks) list.push_back({block.offset, block.length, block.rows});
    json.push_back(std::move(list));
  }
  std::string footer = json.dump();
  const uint64_t length = footer.size();
  for (int i = 0; i < 8; ++i) footer.push_back(static_cast<char>(length >> (8 * i)));
  footer += kMark;
  return footer;
}

Result<ExchangeIndex> ExchangeIndex::Read(const storage::Object& file) {
  if (file.size() < kTail) return Broken(file, "it is too short");
  char tail[kTail];
  MUTIRAO_TRY(ReadExactly(file, file.size() - kTail, tail, kTail));
  if (std::string_view(tail + 8, 8) != kMark) return Broken(file, "the mark at its end is missing");
  uint64_t length = 0;
  for (int i = 0; i < 8; ++i) length |= uint64_t{static_cast<uint8_t>(tail[i])} << (8 * i);
  if (length > static_cast<uint64_t>(file.size() - kTail)) return Broken(file, "the length of its index is wrong");
  std::string text(length, '\0');
  const int64_t begin = file.size() - kTail - static_cast<int64_t>(length);
  MUTIRAO_TRY(ReadExactly(file, begin, text.data(), static_cast<int64_t>(length)));
  Json json = MUTIRAO_TRY(ParseJson(text).Context("index of " + file.uri()));
  ExchangeIndex index;
  if (!json.is_array()) return Broken(file, "its index is no list");
  for (const Json& list : json) {
    index.buckets.emplace_back();
    if (!list.is_array()) return Broken(file, "a bucket is no list");
    for (const Json& item : list) {
      if (!item.is_array() || item.size() != 3) return Broken(file, "a block has not three numbers");
      for (const Json& number : item) {
        if (!number.is_number_integer()) return Broken(file, "a block has not three numbers");
      }
      const ExchangeBlock block{item[0].get<int64_t>(), item[1].get<int64_t>(), item[2].get<int64_t>()};
      if (block.offset < 0 || block.length < 0 || block.rows < 0 || block.offset > begin ||
          block.length > begin - block.offset) {
        return Broken(file, "a block lies outside");
      }
      index.buckets.back().push_back(block);
    }
  }
  return index;
}

std::string ExchangeFileName(const std::string& attempt) {
  return "exchange-" + attempt + ".mxch";
}

Result<std::unique_ptr<ExchangeOutput>> ExchangeOutput::Create(const std::string& folder, const std::string& attempt) {
  std::unique_ptr<ExchangeOutput> output(new ExchangeOutput(folder, ExchangeFileName(attempt)));
  output->file_ = MUTIRAO_TRY(arrow::io::FileOutputStream::Open(output->Partial()));
  return output;
}

ExchangeOutput::~ExchangeOutput() {
  std::error_code ignored;
  std::filesystem::remove(Partial(), ignored);
}

Result<int64_t> ExchangeOutput::Append(const std::vector<std::shared_ptr<arrow::Buffer>>& blocks) {
  std::lock_guard lock(mutex_);
  MUTIRAO_TRY(failed_);
  const int64_t begin = size_;
  for (const std::shared_ptr<arrow::Buffer>& block : blocks) {
    failed_ = FromArrow(file_->Write(block));
    MUTIRAO_TRY(failed_);
    size_ += block->size();
  }
  return begin;
}

Result<int64_t> ExchangeOutput::Finish(const ExchangeIndex& index) {
  std::lock_guard lock(mutex_);
  MUTIRAO_TRY(failed_);
  const std::string footer = index.ToFooter();
  MUTIRAO_TRY(file_->Write(footer.data(), static_cast<int64_t>(footer.size())));
  MUTIRAO_TRY(file_->Close());
  std::error_code error;
  std::filesystem::rename(Partial(), folder_ + "/" + name_, error);
  if (error) return Status::Io("rename " + Partial() + ": " + error.message());
  return size_ + static_cast<int64_t>(footer.size());
}

}  // namespace mutirao::engine
