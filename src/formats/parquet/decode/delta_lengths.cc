#include "formats/parquet/decode/delta_lengths.h"

#include <algorithm>
#include <cstddef>
#include <optional>

namespace mutirao::formats::parquet_decode {
namespace {

// Numbers in DELTA_BINARY_PACKED, one section of them behind the other.
class Sections {
 public:
  explicit Sections(std::span<const uint8_t> bytes) : bytes_(bytes) {}

  struct Header {
    uint64_t values_of_block = 0;
    uint64_t miniblocks = 0;
    uint64_t count = 0;
  };

  std::optional<Header> ReadHeader() {
    Header header;
    uint64_t first = 0;
    if (!ReadNumber(&header.values_of_block) || !ReadNumber(&header.miniblocks) || !ReadNumber(&header.count) ||
        !ReadNumber(&first)) {
      return std::nullopt;
    }
    return header;
  }

  // What follows a header. The last miniblock may be cut where its values end.
  bool SkipBlocks(const Header& header) {
    if (header.miniblocks == 0 || header.values_of_block < header.miniblocks) return header.count <= 1;
    const uint64_t each = header.values_of_block / header.miniblocks;
    uint64_t left = std::max<uint64_t>(header.count, 1) - 1;
    while (left > 0) {
      uint64_t least = 0;
      if (!ReadNumber(&least) || header.miniblocks > bytes_.size()) return false;
      const std::span<const uint8_t> widths = bytes_.first(static_cast<size_t>(header.miniblocks));
      bytes_ = bytes_.subspan(widths.size());
      for (size_t i = 0; i < widths.size() && left > 0; ++i) {
        if (widths[i] > 64) return false;
        // Of more values than there are bits only those that are left can lie here.
        const uint64_t bits = std::min<uint64_t>(each, bytes_.size() * 8) * widths[i];
        bytes_ = bytes_.subspan(std::min<size_t>(bytes_.size(), static_cast<size_t>((bits + 7) / 8)));
        left -= std::min(left, each);
      }
    }
    return true;
  }

 private:
  // Seven bits a byte, the lowest first.
  bool ReadNumber(uint64_t* number) {
    for (unsigned shift = 0; shift < 64 && !bytes_.empty(); shift += 7) {
      const uint8_t byte = bytes_.front();
      bytes_ = bytes_.subspan(1);
      *number |= uint64_t{byte & 0x7Fu} << shift;
      if (byte < 0x80) return true;
    }
    return false;
  }

  std::span<const uint8_t> bytes_;
};

}  // namespace

bool LengthsFitPage(parquet::Encoding::type encoding, std::span<const uint8_t> page, int64_t values) {
  if (encoding != parquet::Encoding::DELTA_LENGTH_BYTE_ARRAY && encoding != parquet::Encoding::DELTA_BYTE_ARRAY)
    return true;
  if (page.empty()) return values <= 0;
  Sections sections(page);
  const auto most = static_cast<uint64_t>(std::max<int64_t>(values, 0));
  std::optional<Sections::Header> header = sections.ReadHeader();
  if (!header || header->count > most) return false;
  if (encoding != parquet::Encoding::DELTA_BYTE_ARRAY) return true;
  // Behind the lengths of what each text has of the one before come those of the rest.
  if (!sections.SkipBlocks(*header)) return false;
  header = sections.ReadHeader();
  return header && header->count <= most;
}

}  // namespace mutirao::formats::parquet_decode
