#include "engine/exchange/exchange_file.h"

#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <filesystem>
#include <utility>

#include "storage/system_error.h"
#include "storage/write_pieces.h"

namespace mutirao::engine {
namespace {

constexpr std::string_view kMark = "MUTXCH03";
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
  const std::string path = output->Partial();
  output->fd_ = open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
  if (output->fd_ < 0) return storage::SystemError("making", path, errno);
  return output;
}

ExchangeOutput::~ExchangeOutput() {
  if (fd_ >= 0) close(fd_);
  std::error_code ignored;
  std::filesystem::remove(Partial(), ignored);
}

Status ExchangeOutput::WriteOut(std::span<const std::span<const std::byte>> pieces) {
  const int error = storage::WritePieces(fd_, pieces, size_);
  if (error != 0) failed_ = storage::SystemError("writing", Partial(), error);
  return failed_;
}

Result<std::vector<int64_t>> ExchangeOutput::Append(std::span<const PackedBatch> batches) {
  static constexpr std::array<std::byte, kPackedAlignment> kPadding{};
  std::lock_guard lock(mutex_);
  MUTIRAO_TRY(failed_);
  std::vector<std::span<const std::byte>> pieces;
  std::vector<int64_t> begins;
  int64_t end = size_;
  for (const PackedBatch& batch : batches) {
    const int64_t padding = -end & (kPackedAlignment - 1);
    if (padding > 0) pieces.emplace_back(kPadding.data(), static_cast<size_t>(padding));
    begins.push_back(end + padding);
    pieces.insert(pieces.end(), batch.pieces.begin(), batch.pieces.end());
    end = begins.back() + batch.bytes;
  }
  MUTIRAO_TRY(WriteOut(pieces));
  size_ = end;
  return begins;
}

Result<int64_t> ExchangeOutput::Finish(const ExchangeIndex& index) {
  std::lock_guard lock(mutex_);
  MUTIRAO_TRY(failed_);
  const std::string footer = index.ToFooter();
  const auto piece = std::as_bytes(std::span(footer));
  MUTIRAO_TRY(WriteOut({&piece, 1}));
  if (close(std::exchange(fd_, -1)) != 0) return failed_ = storage::SystemError("closing", Partial(), errno);
  std::error_code error;
  std::filesystem::rename(Partial(), folder_ + "/" + name_, error);
  if (error) return Status::Io("rename " + Partial() + ": " + error.message());
  return size_ + static_cast<int64_t>(footer.size());
}

}  // namespace mutirao::engine
