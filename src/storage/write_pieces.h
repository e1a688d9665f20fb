#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace mutirao::storage {

/// Write pieces of memory to a file, one behind the other from `offset` on, a megabyte a call of the system. Gives 0, or the errno value of what failed; then some of it may be written.
int WritePieces(int fd, std::span<const std::span<const std::byte>> pieces, int64_t offset);

}  // namespace mutirao::storage
