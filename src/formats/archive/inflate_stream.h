#pragma once

#include <memory>
#include <string>

#include "formats/archive/byte_stream.h"

namespace mutirao::formats::archive {

/// Inflate one raw deflate stream (RFC 1951), as ZIP members hold it. The stored bytes must end with it.
/// `name` is how errors call the file and member.
std::unique_ptr<ByteStream> InflateRaw(std::unique_ptr<ByteStream> stored, std::string name);

/// Inflate a gzip file (RFC 1952): any number of members one after the other, each with its checksum and size
/// verified; zero bytes after the last are padding.
std::unique_ptr<ByteStream> InflateGzip(std::unique_ptr<ByteStream> stored, std::string name);

}  // namespace mutirao::formats::archive
