// What the tests and fuzz targets of this folder share: packed bytes, right and wrong, and a way to read them.
#pragma once

#include <isa-l/crc.h>
#include <isa-l/igzip_lib.h>

#include <algorithm>
#include <cstring>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "formats/archive/byte_stream.h"
#include "storage/storage.h"

namespace mutirao::formats::archive {

/// A stored object that is these bytes.
class MemoryObject : public storage::Object {
 public:
  explicit MemoryObject(std::string bytes) : bytes_(std::move(bytes)) {}
  int64_t size() const override { return static_cast<int64_t>(bytes_.size()); }
  const std::string& uri() const override { return uri_; }
  Result<int64_t> ReadAt(int64_t offset, std::span<std::byte> out) const override {
    if (offset >= size()) return int64_t{0};
    const int64_t count = std::min<int64_t>(static_cast<int64_t>(out.size()), size() - offset);
    std::memcpy(out.data(), bytes_.data() + offset, static_cast<size_t>(count));
    return count;
  }

 private:
  std::string bytes_;
  std::string uri_ = "memory";
};

/// The low bytes of a number, the lowest first.
inline std::string Number(uint64_t value, int bytes) {
  std::string text;
  for (int i = 0; i < bytes; ++i) text += static_cast<char>(i < 8 ? value >> (8 * i) : 0);
  return text;
}

inline uint32_t Crc(const std::string& text) {
  return crc32_gzip_refl(0, reinterpret_cast<unsigned char*>(const_cast<char*>(text.data())), text.size());
}

inline std::string Deflate(const std::string& text, bool gzip) {
  std::string out(text.size() + 1000, '\0');
  isal_zstream stream;
  isal_deflate_stateless_init(&stream);
  stream.gzip_flag = gzip ? IGZIP_GZIP : IGZIP_DEFLATE;
  stream.end_of_stream = 1;
  stream.next_in = reinterpret_cast<uint8_t*>(const_cast<char*>(text.data()));
  stream.avail_in = static_cast<uint32_t>(text.size());
  stream.next_out = reinterpret_cast<uint8_t*>(out.data());
  stream.avail_out = static_cast<uint32_t>(out.size());
  MUTIRAO_CHECK(isal_deflate_stateless(&stream) == COMP_OK);
  out.resize(stream.total_out);
  return out;
}

struct TestMember {
  std::string name;
  std::string text;
  bool deflate = true;
  uint16_t flags = 0;
  bool zip64 = false;
  std::optional<uint32_t> claimed_size;
  std::optional<uint32_t> claimed_crc;
};

/// Make an archive as writers of streams do, or one that claims what is not so.
inline std::string MakeZip(const std::vector<TestMember>& members, bool zip64_end = false) {
  std::string file;
  std::string directory;
  for (const TestMember& member : members) {
    const std::string stored = member.deflate ? Deflate(member.text, false) : member.text;
    const uint32_t crc = member.claimed_crc.value_or(Crc(member.text));
    const uint64_t size = member.claimed_size.value_or(static_cast<uint32_t>(member.text.size()));
    const std::string method = Number(member.deflate ? 8 : 0, 2);
    const std::string extra = member.zip64 ? Number(1, 2) + Number(24, 2) + Number(size, 8) + Number(stored.size(), 8) +
                                                 Number(file.size(), 8)
                                           : "";
    const auto wide = [&](uint64_t value) { return Number(member.zip64 ? 0xFFFFFFFF : value, 4); };
    directory += "PK\1\2" + Number(45, 2) + Number(45, 2) + Number(member.flags, 2) + method + Number(0, 4) +
                 Number(crc, 4) + wide(stored.size()) + wide(size) + Number(member.name.size(), 2) +
                 Number(extra.size(), 2) + Number(0, 10) + wide(file.size()) + member.name + extra;
    // As streaming writers do: the sizes stand behind the data.
    file += "PK\3\4" + Number(45, 2) + Number(member.flags | 8, 2) + method + Number(0, 4) + Number(0, 12) +
            Number(member.name.size(), 2) + Number(0, 2) + member.name + stored;
    file += "PK\7\x8" + Number(crc, 4) + Number(stored.size(), 4) + Number(size, 4);
  }
  const uint64_t offset = file.size();
  file += directory;
  if (zip64_end) {
    const uint64_t record = file.size();
    file += "PK\6\6" + Number(44, 8) + Number(45, 2) + Number(45, 2) + Number(0, 8) + Number(members.size(), 8) +
            Number(members.size(), 8) + Number(directory.size(), 8) + Number(offset, 8);
    file += "PK\6\7" + Number(0, 4) + Number(record, 8) + Number(1, 4);
    return file + "PK\5\6" + Number(0, 4) + Number(0xFFFF, 2) + Number(0xFFFF, 2) + Number(0xFFFFFFFF, 4) +
           Number(0xFFFFFFFF, 4) + Number(0, 2);
  }
  return file + "PK\5\6" + Number(0, 4) + Number(members.size(), 2) + Number(members.size(), 2) +
         Number(directory.size(), 4) + Number(offset, 4) + Number(0, 2);
}

/// Read a stream to its end in steps of some size.
inline Result<std::string> ReadAll(ByteStream& stream, size_t step = 777) {
  std::string text;
  std::string buffer(step, '\0');
  for (;;) {
    const int64_t count = MUTIRAO_TRY(stream.Read(std::as_writable_bytes(std::span(buffer))));
    text.append(buffer, 0, static_cast<size_t>(count));
    if (static_cast<size_t>(count) < step) return text;
  }
}

}  // namespace mutirao::formats::archive
