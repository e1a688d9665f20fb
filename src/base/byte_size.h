#pragma once

#include <cstdint>
#include <string_view>

#include <mutirao/status.h>

namespace mutirao {

/// Parse a number of bytes as people write it: "512MiB", "2 GiB", "1.5GB", "100 B" (KB is 1,000 bytes, KiB 1,024).
/// Errors: kInvalid, also for 0 and for more than 2^62.
Result<int64_t> ParseByteSize(std::string_view text);

}  // namespace mutirao
