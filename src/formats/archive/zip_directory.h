#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "formats/archive/byte_stream.h"
#include "storage/storage.h"

namespace mutirao::formats::archive {

/// What the central directory of a ZIP says of one member.
struct ZipMember {
  std::string name;  ///< valid UTF-8, for people and globs only: it never names a place on disk
  uint16_t method = 0;
  uint16_t flags = 0;
  uint32_t crc = 0;
  int64_t stored_size = 0;
  int64_t size = 0;
  int64_t header_offset = 0;
};

/// List the members of a ZIP, folders and nameless entries left out, in the order of the directory.
///
/// Reads ZIP64, archives with bytes in front, and directories up to 256 MiB (APPNOTE 6.3.10).
/// Errors: kInvalid for cut or inconsistent archives, members that overlap or claim an impossible size, encryption,
/// several disks, methods other than stored and deflate, and for an archive without any member.
Result<std::vector<ZipMember>> ListZip(const storage::Object& file);

/// Read a member's bytes; its size and CRC-32 are verified before the end is reported.
Result<std::unique_ptr<ByteStream>> OpenZipMember(std::shared_ptr<const storage::Object> file, const ZipMember& member);

}  // namespace mutirao::formats::archive
