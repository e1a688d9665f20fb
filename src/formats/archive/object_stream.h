#pragma once

#include <memory>

#include "formats/archive/byte_stream.h"
#include "storage/storage.h"

namespace mutirao::formats::archive {

/// Read bytes [begin, end) of a stored object in order. REQUIRES: the range lies within the object.
std::unique_ptr<ByteStream> StreamObject(std::shared_ptr<const storage::Object> object, int64_t begin, int64_t end);

}  // namespace mutirao::formats::archive
