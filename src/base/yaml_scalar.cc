#include "base/yaml_scalar.h"

#include <charconv>
#include <cmath>
#include <cstdint>
#include <string_view>

namespace mutirao {
namespace {

bool AllDigits(std::string_view text) {
  return !text.empty() && text.find_first_not_of("0123456789") == std::string_view::npos;
}

bool LooksLikeFloat(std::string_view text) {
  if (text.starts_with('+') || text.starts_with('-')) text.remove_prefix(1);
  size_t exponent = text.find_first_of("eE");
  std::string_view mantissa = text.substr(0, exponent);
  if (exponent != std::string_view::npos) {
    std::string_view power = text.substr(exponent + 1);
    if (power.starts_with('+') || power.starts_with('-')) power.remove_prefix(1);
    if (!AllDigits(power)) return false;
  }
  size_t dot = mantissa.find('.');
  if (dot == std::string_view::npos) return AllDigits(mantissa);
  std::string_view whole = mantissa.substr(0, dot);
  std::string_view fraction = mantissa.substr(dot + 1);
  return (whole.empty() || AllDigits(whole)) && (fraction.empty() || AllDigits(fraction)) &&
         !(whole.empty() && fraction.empty());
}

Json IntegerOrText(std::string_view digits, int base, bool negative, const std::string& text) {
  uint64_t magnitude = 0;
  auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), magnitude, base);
  if (error != std::errc() || end != digits.data() + digits.size()) return text;
  constexpr uint64_t kLargest = static_cast<uint64_t>(INT64_MAX);
  if (magnitude > kLargest + (negative ? 1 : 0)) return text;
  return negative ? static_cast<int64_t>(~magnitude + 1) : static_cast<int64_t>(magnitude);
}

}  // namespace

Json ResolveYamlScalar(const std::string& text) {
  if (text.empty() || text == "~" || text == "null" || text == "Null" || text == "NULL") return nullptr;
  if (text == "true" || text == "True" || text == "TRUE") return true;
  if (text == "false" || text == "False" || text == "FALSE") return false;
  std::string_view digits = text;
  if (digits.starts_with("0x")) return IntegerOrText(digits.substr(2), 16, false, text);
  if (digits.starts_with("0o")) return IntegerOrText(digits.substr(2), 8, false, text);
  bool negative = digits.starts_with('-');
  if (negative || digits.starts_with('+')) digits.remove_prefix(1);
  if (AllDigits(digits)) return IntegerOrText(digits, 10, negative, text);
  if (!LooksLikeFloat(text)) return text;
  double value = 0;
  std::string_view number = text;
  if (number.starts_with('+')) number.remove_prefix(1);
  std::from_chars(number.data(), number.data() + number.size(), value);
  if (!std::isfinite(value)) return text;
  return value;
}

}  // namespace mutirao
