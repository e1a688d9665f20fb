#pragma once

#include <cstdint>
#include <cstdio>
#include <memory>
#include <string>
#include <string_view>

#include <mutirao/status.h>

namespace mutirao::datagen {

enum class Packing { kPlain, kGzip, kZip };

/// Take the packing from a file name: ".zip", ".gz", anything else is plain.
Packing PackingOf(std::string_view path);

/// A piece of the content, deflated by itself so that pieces can be made side by side and put one after the other.
struct Piece {
  std::string stored;
  uint32_t crc = 0;
  int64_t raw_bytes = 0;
};

/// Make a piece; the content is moved from when it stays plain. Threads: any.
Piece Pack(Packing packing, std::string content);

/// Write pieces as one plain, gzip (RFC 1952) or single-member ZIP64 file.
/// Threads: one at a time. Errors: kIo, naming the file.
class PackedFile {
 public:
  static Result<std::unique_ptr<PackedFile>> Make(const std::string& path, const std::string& member);
  ~PackedFile();

  Status Append(const Piece& piece);
  /// Write what comes at the end. A file not finished is not a valid archive.
  Status Finish();

 private:
  PackedFile(std::string path, std::string member, std::FILE* file);
  Status Write(std::string_view bytes);
  Status FinishZip();

  // Constant after construction.
  std::string path_;
  std::string member_;
  Packing packing_;

  // Used by one thread.
  std::FILE* file_;
  uint32_t crc_ = 0;
  uint64_t raw_bytes_ = 0;
  uint64_t stored_bytes_ = 0;
};

}  // namespace mutirao::datagen
