#include "orchestration/definition/duration.h"

#include <charconv>

#include <fmt/format.h>

namespace mutirao::orchestration {
namespace {

// Milliseconds in a unit; 0 for what is none.
double UnitLength(std::string_view unit) {
  if (unit == "ms") return 1;
  if (unit == "s") return 1000;
  if (unit == "m") return 60'000;
  if (unit == "h") return 3'600'000;
  if (unit == "d") return 86'400'000;
  return 0;
}

}  // namespace

Result<Duration> ParseDuration(std::string_view text) {
  constexpr double kLongest = 366.0 * 86'400'000;
  auto wrong = [&] {
    return Status::Invalid(fmt::format("\"{}\" is not a length of time", text)).Help("write 500ms, 10s, 5m, 2h or 1d");
  };
  double total = 0;
  std::string_view rest = text;
  if (rest.empty()) return wrong();
  while (!rest.empty()) {
    size_t digits = rest.find_first_not_of("0123456789.");
    if (digits == 0 || digits == std::string_view::npos) return wrong();
    double number = 0;
    auto [end, error] = std::from_chars(rest.data(), rest.data() + digits, number);
    if (error != std::errc() || end != rest.data() + digits) return wrong();
    rest.remove_prefix(digits);
    std::string_view unit = rest.substr(0, rest.find_first_of("0123456789."));
    double length = UnitLength(unit);
    if (length == 0) return wrong();
    rest.remove_prefix(unit.size());
    total += number * length;
  }
  if (total > kLongest) return Status::Invalid(fmt::format("\"{}\" is longer than a year", text));
  return Duration(static_cast<int64_t>(total));
}

}  // namespace mutirao::orchestration
