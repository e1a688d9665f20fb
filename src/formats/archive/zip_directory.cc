#include "formats/archive/zip_directory.h"

#include <algorithm>
#include <cstring>
#include <optional>
#include <span>

#include <fmt/format.h>

namespace mutirao::formats::archive {
namespace {

constexpr int64_t kEndRecordBytes = 22;
constexpr int64_t kMaxDirectoryBytes = int64_t{256} << 20;
// Deflate cannot do better than this.
constexpr int64_t kMaxRatio = 1032;

uint16_t U16(const uint8_t* p) {
  return static_cast<uint16_t>(p[0] | p[1] << 8);
}
uint32_t U32(const uint8_t* p) {
  return U16(p) | static_cast<uint32_t>(U16(p + 2)) << 16;
}
uint64_t U64(const uint8_t* p) {
  return U32(p) | static_cast<uint64_t>(U32(p + 4)) << 32;
}

struct Directory {
  int64_t offset = 0;  // in the file
  int64_t size = 0;
  int64_t entries = 0;
  int64_t shift = 0;  // bytes in front of the archive
};

class DirectoryReader {
 public:
  explicit DirectoryReader(const storage::Object& file) : file_(file) {}

  Result<std::vector<ZipMember>> List() {
    const Directory directory = MUTIRAO_TRY(FindDirectory());
    const std::vector<uint8_t> bytes = MUTIRAO_TRY(ReadRange(directory.offset, directory.size));
    std::vector<ZipMember> all = MUTIRAO_TRY(ParseEntries(bytes, directory));
    MUTIRAO_TRY(CheckPlaces(all, directory.offset));
    std::vector<ZipMember> members;
    for (ZipMember& member : all) {
      if (!member.name.empty() && member.name.back() != '/') members.push_back(std::move(member));
    }
    if (members.empty()) return Fault("the archive is empty: it holds no file");
    return members;
  }

 private:
  Status Fault(std::string_view what) const {
    return Status::Invalid(fmt::format("{}: {}", file_.uri(), what))
        .Help("fetch the file again; nothing of it was kept");
  }

  Result<std::vector<uint8_t>> ReadRange(int64_t offset, int64_t size) const {
    std::vector<uint8_t> bytes(static_cast<size_t>(size));
    int64_t done = 0;
    while (done < size) {
      const int64_t count = MUTIRAO_TRY(
          file_.ReadAt(offset + done, std::as_writable_bytes(std::span(bytes)).subspan(static_cast<size_t>(done))));
      if (count == 0) return Fault("the archive is cut: unexpected end");
      done += count;
    }
    return bytes;
  }

  // The end record may be followed by a comment of up to 65,535 bytes; the last one whose comment fits is meant.
  Result<Directory> FindDirectory() const {
    const int64_t tail_size = std::min<int64_t>(file_.size(), kEndRecordBytes + 65535);
    const int64_t tail_offset = file_.size() - tail_size;
    const std::vector<uint8_t> tail = MUTIRAO_TRY(ReadRange(tail_offset, tail_size));
    for (int64_t at = tail_size - kEndRecordBytes; at >= 0; --at) {
      const uint8_t* record = tail.data() + at;
      if (std::memcmp(record, "PK\5\6", 4) != 0) continue;
      if (at + kEndRecordBytes + U16(record + 20) > tail_size) continue;
      return ParseEndRecord(record, tail_offset + at);
    }
    return Fault("the archive is cut: its central directory is missing (unexpected end)");
  }

  Result<Directory> ParseEndRecord(const uint8_t* record, int64_t record_offset) const {
    Directory directory{.offset = U32(record + 16), .size = U32(record + 12), .entries = U16(record + 10)};
    int64_t behind = record_offset;
    bool one_disk = U16(record + 4) == U16(record + 6) && U16(record + 8) == U16(record + 10);
    if (record_offset >= 20) {
      const std::vector<uint8_t> locator = MUTIRAO_TRY(ReadRange(record_offset - 20, 20));
      if (std::memcmp(locator.data(), "PK\6\7", 4) == 0) {
        const int64_t place =
            MUTIRAO_TRY(FindZip64Record(static_cast<int64_t>(U64(locator.data() + 8)), record_offset - 20));
        const std::vector<uint8_t> wide = MUTIRAO_TRY(ReadRange(place, 56));
        directory = {.offset = static_cast<int64_t>(U64(wide.data() + 48)),
                     .size = static_cast<int64_t>(U64(wide.data() + 40)),
                     .entries = static_cast<int64_t>(U64(wide.data() + 32))};
        one_disk = U32(wide.data() + 16) == U32(wide.data() + 20) && U64(wide.data() + 24) == U64(wide.data() + 32);
        behind = place;
      }
    }
    if (!one_disk) return Fault("the archive is spread over several disks; make one file of it first");
    if (directory.size < 0 || directory.offset < 0 || directory.size > behind ||
        directory.offset > behind - directory.size) {
      return Fault("damaged central directory: it does not lie inside the file");
    }
    if (directory.size > kMaxDirectoryBytes) return Fault("the central directory is larger than 256 MiB");
    if (directory.entries < 0 || directory.entries > directory.size / 46)
      return Fault("damaged central directory: too small for its entries");
    directory.shift = behind - directory.size - directory.offset;
    directory.offset += directory.shift;
    return directory;
  }

  // The locator's offset does not count bytes in front of the archive; the record then stands right before it.
  Result<int64_t> FindZip64Record(int64_t claimed, int64_t locator_offset) const {
    for (int64_t place : {claimed, locator_offset - 56}) {
      if (place < 0 || place > locator_offset - 56) continue;
      const std::vector<uint8_t> magic = MUTIRAO_TRY(ReadRange(place, 4));
      if (std::memcmp(magic.data(), "PK\6\6", 4) == 0) return place;
    }
    return Fault("damaged central directory: its ZIP64 record is missing");
  }

  Result<std::vector<ZipMember>> ParseEntries(const std::vector<uint8_t>& bytes, const Directory& directory) const {
    std::vector<ZipMember> members;
    size_t at = 0;
    for (int64_t i = 0; i < directory.entries; ++i) {
      if (bytes.size() - at < 46 || std::memcmp(bytes.data() + at, "PK\1\2", 4) != 0) {
        return Fault(fmt::format("damaged central directory: entry {} is not one", i + 1));
      }
      const uint8_t* entry = bytes.data() + at;
      const size_t name_size = U16(entry + 28);
      const size_t extra_size = U16(entry + 30);
      const size_t whole = 46 + name_size + extra_size + U16(entry + 32);
      if (bytes.size() - at < whole) return Fault(fmt::format("damaged central directory: entry {} is cut", i + 1));
      ZipMember member{.name = ReadableName(entry + 46, name_size),
                       .method = U16(entry + 10),
                       .flags = U16(entry + 8),
                       .crc = U32(entry + 16),
                       .stored_size = U32(entry + 20),
                       .size = U32(entry + 24),
                       .header_offset = U32(entry + 42)};
      MUTIRAO_TRY(ReadZip64Extra(std::span(entry + 46 + name_size, extra_size), &member));
      MUTIRAO_TRY(CheckMember(member));
      // Every entry, folders too: what is added to these numbers must not overflow.
      if (member.stored_size < 0 || member.stored_size > file_.size() || member.header_offset < 0 ||
          member.header_offset > file_.size()) {
        return Fault(fmt::format("member {}: invalid place, it is not in the file", member.name));
      }
      member.header_offset += directory.shift;
      members.push_back(std::move(member));
      at += whole;
    }
    if (at != bytes.size() && std::memcmp(bytes.data() + at, "PK\5\5", std::min<size_t>(4, bytes.size() - at)) != 0) {
      return Fault("damaged central directory: bytes are left behind its last entry");
    }
    return members;
  }

  // Fields of 0xFFFFFFFF stand in the extra field 1 instead, in this order.
  Status ReadZip64Extra(std::span<const uint8_t> extra, ZipMember* member) const {
    int64_t* const fields[] = {&member->size, &member->stored_size, &member->header_offset};
    while (extra.size() >= 4) {
      const size_t size = U16(extra.data() + 2);
      if (size > extra.size() - 4) break;
      if (U16(extra.data()) == 1) {
        std::span<const uint8_t> values = extra.subspan(4, size);
        for (int64_t* field : fields) {
          if (*field != 0xFFFFFFFF) continue;
          if (values.size() < 8) return Fault(fmt::format("member {}: damaged ZIP64 sizes", member->name));
          *field = static_cast<int64_t>(U64(values.data()));
          values = values.subspan(8);
        }
      }
      extra = extra.subspan(4 + size);
    }
    return Status::Ok();
  }

  Status CheckMember(const ZipMember& member) const {
    if (member.name.empty() || member.name.back() == '/') return Status::Ok();
    if (member.flags & 0x2041) {
      return Status::Invalid(fmt::format("{}: member {} is encrypted (it needs a password)", file_.uri(), member.name))
          .Help("decrypt the archive first");
    }
    if (member.method != 0 && member.method != 8) {
      return Status::Invalid(
                 fmt::format("{}: member {} uses compression method {}", file_.uri(), member.name, member.method))
          .Help("pack it again with deflate, or unpack it");
    }
    const auto impossible = [&] {
      if (member.size < 0 || member.stored_size < 0 || member.stored_size > file_.size()) return true;
      if (member.method == 0) return member.size != member.stored_size;
      return member.size > (member.stored_size + 1) * kMaxRatio;
    };
    if (impossible()) {
      return Fault(fmt::format("member {}: invalid size, {} bytes cannot come from {} stored ones", member.name,
                               member.size, member.stored_size));
    }
    return Status::Ok();
  }

  // Members that share bytes are how a small file claims to be an enormous one.
  Status CheckPlaces(const std::vector<ZipMember>& members, int64_t directory_offset) const {
    std::vector<const ZipMember*> order;
    for (const ZipMember& member : members) order.push_back(&member);
    std::ranges::sort(order, {}, &ZipMember::header_offset);
    for (size_t i = 0; i < order.size(); ++i) {
      const int64_t limit = i + 1 < order.size() ? order[i + 1]->header_offset : directory_offset;
      const int64_t begin = order[i]->header_offset;
      if (begin < 0 || begin + 30 > limit || order[i]->stored_size > limit - begin - 30) {
        return Fault(fmt::format("member {}: invalid place, it overlaps what follows", order[i]->name));
      }
    }
    return Status::Ok();
  }

  // Names are UTF-8 or of an old code page; what is not UTF-8 is shown byte by byte as Latin-1.
  static std::string ReadableName(const uint8_t* bytes, size_t size) {
    std::string name;
    for (size_t i = 0; i < size; ++i) {
      const uint8_t c = bytes[i];
      const size_t extra = c >= 0xF0 ? 3 : c >= 0xE0 ? 2 : c >= 0xC2 ? 1 : 0;
      bool sequence = extra > 0 && c < 0xF5 && i + extra < size;
      for (size_t k = 1; sequence && k <= extra; ++k) sequence = (bytes[i + k] & 0xC0) == 0x80;
      if (sequence) {
        name.append(reinterpret_cast<const char*>(bytes + i), extra + 1);
        i += extra;
      } else if (c < 0x80) {
        name += static_cast<char>(c);
      } else {
        name += static_cast<char>(0xC0 | c >> 6);
        name += static_cast<char>(0x80 | (c & 0x3F));
      }
    }
    return name;
  }

  const storage::Object& file_;
};

}  // namespace

Result<std::vector<ZipMember>> ListZip(const storage::Object& file) {
  return DirectoryReader(file).List();
}

}  // namespace mutirao::formats::archive
