#pragma once

#include <memory>
#include <string>

#include "formats/archive/byte_stream.h"
#include "storage/storage.h"

namespace mutirao::formats::archive {

/// How the bytes of a file are packed.
enum class Container : uint8_t { kPlain, kZip, kGzip, kZstd };

/// The lower-case name: "plain", "zip", "gzip", "zstd".
const char* ContainerName(Container container);

/// Tell by the first bytes of a file. One that is named .zip, .gz or .zst has to be that: reading it fails otherwise.
Result<Container> DetectContainer(const storage::Object& file);

/// Read the content of a file that is one stream: plain, gzip or zstd. REQUIRES: not kZip.
std::unique_ptr<ByteStream> OpenContainer(std::shared_ptr<const storage::Object> file, Container container);

}  // namespace mutirao::formats::archive
