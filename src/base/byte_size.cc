#include "base/byte_size.h"

#include <charconv>
#include <cmath>

#include <fmt/format.h>

namespace mutirao {
namespace {

// Bytes in a unit; 0 for what is none.
double UnitBytes(std::string_view unit) {
  if (unit == "B") return 1;
  constexpr std::string_view kPrefixes = "KMGT";
  const bool binary = unit.size() == 3 && unit[1] == 'i';
  if (!unit.ends_with('B') || (unit.size() != 2 && !binary)) return 0;
  const size_t prefix = kPrefixes.find(unit[0]);
  if (prefix == std::string_view::npos) return 0;
  return std::pow(binary ? 1024.0 : 1000.0, static_cast<double>(prefix) + 1);
}

}  // namespace

Result<int64_t> ParseByteSize(std::string_view text) {
  const auto wrong = [&] {
    return Status::Invalid(fmt::format("\"{}\" is not a size in bytes", text)).Help("write 512MiB, 2GiB or 1.5GB");
  };
  double number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number, std::chars_format::fixed);
  if (error != std::errc() || text[0] == '-') return wrong();
  std::string_view unit = text.substr(static_cast<size_t>(end - text.data()));
  if (unit.starts_with(' ')) unit.remove_prefix(1);
  const double bytes = number * UnitBytes(unit);
  if (!(bytes >= 1) || bytes > 0x1p62) return wrong();
  return static_cast<int64_t>(bytes);
}

}  // namespace mutirao
