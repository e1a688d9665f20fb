#include "storage/write_pieces.h"

#include <sys/uio.h>

#include <algorithm>
#include <array>
#include <cerrno>

namespace mutirao::storage {
namespace {

constexpr size_t kMostPieces = 256;  // of a call; the system's own limit is 1024

// Of a call, to the next multiple: for what is written at once the kernel takes pages as large as that, and those of 2
// MiB are what a virtual machine has given back to its host, if any are.
constexpr size_t kMostBytes = size_t{1} << 20;

}  // namespace

int WritePieces(int fd, std::span<const std::span<const std::byte>> pieces, int64_t offset) {
  size_t written = 0;  // of the first piece
  while (!pieces.empty()) {
    std::array<iovec, kMostPieces> parts;
    size_t room = kMostBytes - static_cast<size_t>(offset) % kMostBytes;
    size_t count = 0;
    for (; count < std::min(pieces.size(), kMostPieces) && room > 0; ++count) {
      const auto rest = pieces[count].subspan(count == 0 ? written : 0);
      parts[count] = {const_cast<std::byte*>(rest.data()), std::min(rest.size(), room)};
      room -= parts[count].iov_len;
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
