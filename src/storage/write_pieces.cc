#include "storage/write_pieces.h"

#include <sys/uio.h>

#include <algorithm>
#include <array>
#include <cerrno>

namespace mutirao::storage {

int WritePieces(int fd, std::span<const std::span<const std::byte>> pieces, int64_t offset) {
  constexpr size_t kMostPieces = 256;  // of a call; the system's own limit is 1024
  size_t written = 0;                  // of the first piece
  while (!pieces.empty()) {
    std::array<iovec, kMostPieces> parts;
    const size_t count = std::min(pieces.size(), kMostPieces);
    for (size_t i = 0; i < count; ++i) {
      const auto rest = pieces[i].subspan(i == 0 ? written : 0);
      parts[i] = {const_cast<std::byte*>(rest.data()), rest.size()};
    }
    const ssize_t n = pwritev(fd, parts.data(), static_cast<int>(count), offset);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return errno;
    offset += n;
    written += static_cast<size_t>(n);
    while (!pieces.empty() && written >= pieces.front().size()) {
      written -= pieces.front().size();
      pieces = pieces.subspan(1);
    }
  }
  return 0;
}

}  // namespace mutirao::storage
