#include "packed_file.h"

#include <zlib.h>

#include <cerrno>
#include <cstring>
#include <utility>

#include <fmt/format.h>

namespace mutirao::datagen {
namespace {

constexpr int kLevel = 6;
constexpr uint64_t kUseZip64 = 0xFFFFFFFF;

void Little(std::string& out, uint64_t value, int bytes) {
  for (int i = 0; i < bytes; ++i, value >>= 8) out += static_cast<char>(value);
}

std::string Deflate(std::string_view content, int flush) {
  z_stream stream = {};
  MUTIRAO_CHECK(deflateInit2(&stream, kLevel, Z_DEFLATED, -MAX_WBITS, 9, Z_DEFAULT_STRATEGY) == Z_OK);
  // A sync flush adds an empty stored block of five bytes, which the bound does not count.
  std::string out(deflateBound(&stream, content.size()) + 16, '\0');
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(content.data()));
  stream.avail_in = static_cast<uInt>(content.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  int result = deflate(&stream, flush);
  MUTIRAO_CHECK(result == Z_OK || result == Z_STREAM_END);
  out.resize(stream.total_out);
  deflateEnd(&stream);
  return out;
}

/// The part that local and central headers share, from "version needed" to "extra length" (APPNOTE 6.3, 4.3.7).
void ZipHeaderBody(std::string& out, uint32_t crc, size_t name_bytes, size_t extra_bytes) {
  Little(out, 45, 2);      // needs ZIP64
  Little(out, 0, 2);       // no flags
  Little(out, 8, 2);       // deflate
  Little(out, 0, 2);       // 00:00
  Little(out, 0x5B8D, 2);  // 2025-12-13
  Little(out, crc, 4);
  Little(out, kUseZip64, 4);
  Little(out, kUseZip64, 4);
  Little(out, name_bytes, 2);
  Little(out, extra_bytes, 2);
}

std::string LocalHeader(const std::string& member, uint32_t crc, uint64_t raw, uint64_t stored) {
  std::string out = "PK\3\4";
  ZipHeaderBody(out, crc, member.size(), 20);
  out += member;
  Little(out, 1, 2);
  Little(out, 16, 2);
  Little(out, raw, 8);
  Little(out, stored, 8);
  return out;
}

std::string Directory(const std::string& member, uint32_t crc, uint64_t raw, uint64_t stored, uint64_t at) {
  std::string out = "PK\1\2";
  Little(out, 45, 2);
  ZipHeaderBody(out, crc, member.size(), 20);
  Little(out, 0, 2 + 2 + 2 + 4 + 4);  // comment, disk, attributes; the member begins at 0
  out += member;
  Little(out, 1, 2);
  Little(out, 16, 2);
  Little(out, raw, 8);
  Little(out, stored, 8);
  uint64_t directory_bytes = out.size();

  out += std::string_view("PK\6\6", 4);
  Little(out, 44, 8);
  Little(out, 45, 2);
  Little(out, 45, 2);
  Little(out, 0, 8);
  Little(out, 1, 8);
  Little(out, 1, 8);
  Little(out, directory_bytes, 8);
  Little(out, at, 8);
  out += std::string_view("PK\6\7", 4);
  Little(out, 0, 4);
  Little(out, at + directory_bytes, 8);
  Little(out, 1, 4);

  out += std::string_view("PK\5\6", 4);
  Little(out, 0, 4);
  Little(out, 1, 2);
  Little(out, 1, 2);
  Little(out, directory_bytes, 4);
  Little(out, kUseZip64, 4);
  Little(out, 0, 2);
  return out;
}

}  // namespace

Packing PackingOf(std::string_view path) {
  if (path.ends_with(".zip")) return Packing::kZip;
  return path.ends_with(".gz") ? Packing::kGzip : Packing::kPlain;
}

Piece Pack(Packing packing, std::string content) {
  Piece piece;
  piece.raw_bytes = static_cast<int64_t>(content.size());
  if (packing == Packing::kPlain) {
    piece.stored = std::move(content);
    return piece;
  }
  piece.crc = static_cast<uint32_t>(crc32_z(0, reinterpret_cast<const Bytef*>(content.data()), content.size()));
  piece.stored = Deflate(content, Z_SYNC_FLUSH);
  return piece;
}

Result<std::unique_ptr<PackedFile>> PackedFile::Make(const std::string& path, const std::string& member) {
  std::FILE* file = std::fopen(path.c_str(), "wb");
  if (file == nullptr) return Status::Io(fmt::format("cannot write {}: {}", path, std::strerror(errno)));
  std::unique_ptr<PackedFile> packed(new PackedFile(path, member, file));
  if (packed->packing_ == Packing::kZip) MUTIRAO_TRY(packed->Write(LocalHeader(member, 0, 0, 0)));
  if (packed->packing_ == Packing::kGzip) {
    MUTIRAO_TRY(packed->Write(std::string_view("\x1F\x8B\x08\0\0\0\0\0\0\xFF", 10)));
  }
  return packed;
}

PackedFile::PackedFile(std::string path, std::string member, std::FILE* file)
    : path_(std::move(path)), member_(std::move(member)), packing_(PackingOf(path_)), file_(file) {}

PackedFile::~PackedFile() {
  if (file_ != nullptr) std::fclose(file_);
}

Status PackedFile::Write(std::string_view bytes) {
  if (std::fwrite(bytes.data(), 1, bytes.size(), file_) == bytes.size()) return {};
  return Status::Io(fmt::format("cannot write {}: {}", path_, std::strerror(errno)));
}

Status PackedFile::Append(const Piece& piece) {
  if (packing_ != Packing::kPlain) crc_ = static_cast<uint32_t>(crc32_combine(crc_, piece.crc, piece.raw_bytes));
  raw_bytes_ += static_cast<uint64_t>(piece.raw_bytes);
  stored_bytes_ += piece.stored.size();
  return Write(piece.stored);
}

Status PackedFile::FinishZip() {
  uint64_t directory_at = LocalHeader(member_, 0, 0, 0).size() + stored_bytes_;
  MUTIRAO_TRY(Write(Directory(member_, crc_, raw_bytes_, stored_bytes_, directory_at)));
  if (std::fseek(file_, 0, SEEK_SET) != 0) return Status::Io(fmt::format("cannot seek in {}", path_));
  return Write(LocalHeader(member_, crc_, raw_bytes_, stored_bytes_));
}

Status PackedFile::Finish() {
  if (packing_ != Packing::kPlain) {
    std::string last = Deflate("", Z_FINISH);
    stored_bytes_ += last.size();
    MUTIRAO_TRY(Write(last));
  }
  if (packing_ == Packing::kZip) MUTIRAO_TRY(FinishZip());
  if (packing_ == Packing::kGzip) {
    std::string trailer;
    Little(trailer, crc_, 4);
    Little(trailer, raw_bytes_ & 0xFFFFFFFF, 4);
    MUTIRAO_TRY(Write(trailer));
  }
  std::FILE* file = std::exchange(file_, nullptr);
  if (std::fclose(file) != 0) return Status::Io(fmt::format("cannot write {}: {}", path_, std::strerror(errno)));
  return {};
}

}  // namespace mutirao::datagen
