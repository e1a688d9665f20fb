#include "base/id.h"

#include <sys/random.h>

#include <mutirao/status.h>

namespace mutirao {

std::string RandomHex(int digits) {
  static constexpr char kDigits[] = "0123456789abcdef";
  std::string hex(static_cast<size_t>(digits), '0');
  size_t filled = 0;
  while (filled < hex.size()) {
    // At most 256 bytes at a time come without interruption.
    const ssize_t got = getrandom(hex.data() + filled, std::min<size_t>(hex.size() - filled, 256), 0);
    if (got > 0) filled += static_cast<size_t>(got);
  }
  for (char& c : hex) c = kDigits[static_cast<unsigned char>(c) % 16];
  return hex;
}

std::string MakeRunId(const Clock& clock) {
  const std::string utc = FormatUtc(clock.Now());  // 2026-11-22T10:30:00…
  return utc.substr(0, 4) + utc.substr(5, 2) + utc.substr(8, 2) + "-" + utc.substr(11, 2) + utc.substr(14, 2) +
         utc.substr(17, 2) + "-" + RandomHex(8);
}

bool IsRunId(std::string_view text) {
  static constexpr std::string_view kShape = "dddddddd-dddddd-xxxxxxxx";
  if (text.size() != kShape.size()) return false;
  for (size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    const bool digit = c >= '0' && c <= '9';
    if (kShape[i] == '-' ? c != '-' : !(digit || (kShape[i] == 'x' && c >= 'a' && c <= 'f'))) return false;
  }
  return true;
}

}  // namespace mutirao
