#include "formats/archive/container.h"

#include <algorithm>
#include <cctype>
#include <cstring>
#include <string>
#include <utility>

#include "formats/archive/inflate_stream.h"
#include "formats/archive/object_stream.h"
#include "formats/archive/zstd_stream.h"

namespace mutirao::formats::archive {

const char* ContainerName(Container container) {
  switch (container) {
    case Container::kZip:
      return "zip";
    case Container::kGzip:
      return "gzip";
    case Container::kZstd:
      return "zstd";
    case Container::kPlain:
      break;
  }
  return "plain";
}

Result<Container> DetectContainer(const storage::Object& file) {
  // A web page saved under the name of an archive, or an archive of which nothing arrived, is not a CSV file.
  std::string name = file.uri();
  std::transform(name.begin(), name.end(), name.begin(), [](unsigned char c) { return std::tolower(c); });
  if (name.ends_with(".zip")) return Container::kZip;
  if (name.ends_with(".gz")) return Container::kGzip;
  if (name.ends_with(".zst")) return Container::kZstd;
  unsigned char magic[4] = {};
  const int64_t count = MUTIRAO_TRY(file.ReadAt(0, std::as_writable_bytes(std::span(magic))));
  if (count < 3) return Container::kPlain;
  // An archive begins with a member, or, when it has none, with its end record.
  if (count == 4 && (std::memcmp(magic, "PK\3\4", 4) == 0 || std::memcmp(magic, "PK\5\6", 4) == 0))
    return Container::kZip;
  if (magic[0] == 0x1F && magic[1] == 0x8B && magic[2] == 8) return Container::kGzip;
  if (count == 4 && std::memcmp(magic, "\x28\xB5\x2F\xFD", 4) == 0) return Container::kZstd;
  // A skippable frame may stand first.
  if (count == 4 && (magic[0] & 0xF0) == 0x50 && std::memcmp(magic + 1, "\x2A\x4D\x18", 3) == 0)
    return Container::kZstd;
  return Container::kPlain;
}

std::unique_ptr<ByteStream> OpenContainer(std::shared_ptr<const storage::Object> file, Container container) {
  const std::string name = file->uri();
  const int64_t size = file->size();
  std::unique_ptr<ByteStream> stored = StreamObject(std::move(file), 0, size);
  if (container == Container::kGzip) return InflateGzip(std::move(stored), name);
  if (container == Container::kZstd) return DecompressZstd(std::move(stored), name);
  return stored;
}

}  // namespace mutirao::formats::archive
