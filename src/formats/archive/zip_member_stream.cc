#include <isa-l/crc.h>

#include <cstring>
#include <utility>

#include <fmt/format.h>

#include "formats/archive/inflate_stream.h"
#include "formats/archive/object_stream.h"
#include "formats/archive/zip_directory.h"

namespace mutirao::formats::archive {
namespace {

// Passes bytes on and compares their number and checksum with what the directory says.
class VerifiedStream : public ByteStream {
 public:
  VerifiedStream(std::unique_ptr<ByteStream> bytes, const ZipMember& member, std::string name)
      : bytes_(std::move(bytes)), name_(std::move(name)), size_(member.size), crc_(member.crc) {}

  Result<int64_t> Read(std::span<std::byte> out) override {
    if (!failed_.ok()) return failed_;
    auto result = Pass(out);
    if (!result.ok()) failed_ = result.status();
    return result;
  }

  int64_t stored_position() const override { return bytes_->stored_position(); }

 private:
  Result<int64_t> Pass(std::span<std::byte> out) {
    const int64_t count = MUTIRAO_TRY(bytes_->Read(out));
    seen_crc_ = crc32_gzip_refl(seen_crc_, reinterpret_cast<unsigned char*>(out.data()), static_cast<uint64_t>(count));
    seen_ += count;
    if (seen_ > size_) return Fault(fmt::format("damaged: it inflates to more than the {} bytes it claims", size_));
    if (static_cast<size_t>(count) == out.size()) return count;
    if (seen_ < size_) return Fault(fmt::format("damaged: it ends after {} of {} bytes", seen_, size_));
    if (seen_crc_ != crc_)
      return Fault(fmt::format("damaged: checksum (crc) is {:08x}, the directory says {:08x}", seen_crc_, crc_));
    return count;
  }

  Status Fault(std::string_view what) const {
    return Status::Invalid(fmt::format("{}: {} (near stored byte {})", name_, what, stored_position()))
        .Help("fetch the file again; nothing of it was kept");
  }

  std::unique_ptr<ByteStream> bytes_;
  std::string name_;
  int64_t size_;
  uint32_t crc_;
  int64_t seen_ = 0;
  uint32_t seen_crc_ = 0;
  Status failed_;
};

}  // namespace

Result<std::unique_ptr<ByteStream>> OpenZipMember(std::shared_ptr<const storage::Object> file,
                                                  const ZipMember& member) {
  const std::string name = fmt::format("{}: member {}", file->uri(), member.name);
  uint8_t header[30];
  const int64_t count = MUTIRAO_TRY(file->ReadAt(member.header_offset, std::as_writable_bytes(std::span(header))));
  if (count < 30 || std::memcmp(header, "PK\3\4", 4) != 0) {
    return Status::Invalid(fmt::format("{}: damaged: no member begins at byte {}", name, member.header_offset));
  }
  if (header[6] & 1) return Status::Invalid(fmt::format("{} is encrypted (it needs a password)", name));
  const int64_t begin = member.header_offset + 30 + (header[26] | header[27] << 8) + (header[28] | header[29] << 8);
  if (begin > file->size() || member.stored_size > file->size() - begin) {
    return Status::Invalid(fmt::format("{}: the archive is cut: unexpected end", name));
  }
  const int64_t end = begin + member.stored_size;
  std::unique_ptr<ByteStream> bytes = StreamObject(std::move(file), begin, end);
  if (member.method == 8) bytes = InflateRaw(std::move(bytes), name);
  return std::unique_ptr<ByteStream>(std::make_unique<VerifiedStream>(std::move(bytes), member, name));
}

}  // namespace mutirao::formats::archive
