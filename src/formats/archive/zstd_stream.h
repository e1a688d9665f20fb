#pragma once

#include <memory>
#include <string>

#include "formats/archive/byte_stream.h"

namespace mutirao::formats::archive {

/// Decompress a Zstandard file (RFC 8878): any number of frames one after the other, checksums verified where the
/// file has them. `name` is how errors call the file.
std::unique_ptr<ByteStream> DecompressZstd(std::unique_ptr<ByteStream> stored, std::string name);

}  // namespace mutirao::formats::archive
