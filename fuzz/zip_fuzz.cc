// Any bytes as a ZIP, gzip or zstd file: reading them ends, gives no more than the archive claims, and gives the same
// in steps of any size.
#include <memory>
#include <string>

#include "choices.h"
#include "formats/archive/archive_test_support.h"
#include "formats/archive/container.h"
#include "formats/archive/inflate_stream.h"
#include "formats/archive/object_stream.h"
#include "formats/archive/zip_directory.h"
#include "formats/archive/zstd_stream.h"

namespace mutirao::formats::archive {
namespace {

constexpr int64_t kMostText = int64_t{4} << 20;

// Reads up to kMostText bytes; the text, or the message of the error.
std::string ReadSome(ByteStream& stream, size_t step) {
  std::string text;
  std::string buffer(step, '\0');
  while (static_cast<int64_t>(text.size()) < kMostText) {
    const auto count = stream.Read(std::as_writable_bytes(std::span(buffer)));
    if (!count.ok()) {
      const auto again = stream.Read(std::as_writable_bytes(std::span(buffer)));
      fuzz::Require(again.status().message() == count.status().message(), "an error of a stream is sticky");
      return "error: " + count.status().message();
    }
    fuzz::Require(*count >= 0 && static_cast<size_t>(*count) <= step, "a read gives what there is room for");
    text.append(buffer, 0, static_cast<size_t>(*count));
    if (static_cast<size_t>(*count) < step) return text;
  }
  return "too long";
}

template <typename Open>
void ReadTwice(const Open& open) {
  auto stream = open();
  const std::string text = ReadSome(*stream, 64 << 10);
  fuzz::Require(stream->stored_position() >= 0, "no stored position is negative");
  if (text.starts_with("error: ") || text == "too long") return;
  fuzz::Require(ReadSome(*open(), 61) == text, "small steps give what large ones do");
}

void ReadZip(const std::shared_ptr<const MemoryObject>& object) {
  const auto members = ListZip(*object);
  if (!members.ok()) return;
  int64_t stored = 0;
  for (const ZipMember& member : *members) stored += member.stored_size;
  fuzz::Require(stored <= object->size(), "members do not share bytes");
  size_t left = 8;
  for (const ZipMember& member : *members) {
    if (left-- == 0) return;
    const auto first = OpenZipMember(object, member);
    if (!first.ok()) continue;
    ReadTwice([&] { return MUTIRAO_MUST(OpenZipMember(object, member)); });
    const std::string text = ReadSome(**first, 4096);
    const bool whole = !text.starts_with("error: ") && text != "too long";
    fuzz::Require(!whole || static_cast<int64_t>(text.size()) == member.size, "a member is as long as it claims");
  }
}

}  // namespace
}  // namespace mutirao::formats::archive

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace mutirao::formats::archive;
  mutirao::fuzz::Choices choices(data, size, 1);
  const auto object = std::make_shared<const MemoryObject>(std::string(choices.text()));
  const auto bytes = [&] { return StreamObject(object, 0, object->size()); };
  switch (choices.Below(4)) {
    case 0: {
      const Container container = MUTIRAO_MUST(DetectContainer(*object));
      if (container == Container::kZip) {
        ReadZip(object);
      } else {
        ReadTwice([&] { return OpenContainer(object, container); });
      }
      break;
    }
    case 1:
      ReadTwice([&] { return InflateRaw(bytes(), "fuzz"); });
      break;
    case 2:
      ReadTwice([&] { return InflateGzip(bytes(), "fuzz"); });
      break;
    default:
      ReadTwice([&] { return DecompressZstd(bytes(), "fuzz"); });
      break;
  }
  return 0;
}
