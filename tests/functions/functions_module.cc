// Functions of a module for the tests: one of each kind of value, and one that fails.
#include <stdexcept>

#include <mutirao/function.h>

namespace {

/// "  ACME  LTDA." → "ACME LTDA"; null when nothing is left.
std::optional<std::string> normal_name(std::string_view name) {
  std::string out;
  for (char c : name) {
    const bool blank = c == ' ' || c == '.' || c == ',';
    if (!blank) out += c;
    if (blank && !out.empty() && out.back() != ' ') out += ' ';
  }
  while (!out.empty() && out.back() == ' ') out.pop_back();
  return out.empty() ? std::nullopt : std::optional(out);
}

bool is_small(std::string_view size) {
  return size == "01" || size == "03";
}

int64_t letters(const std::optional<std::string_view>& text) {
  return text ? static_cast<int64_t>(text->size()) : -1;
}

double with_tax(double amount, double rate) {
  if (rate > 1) throw std::out_of_range("the rate is above 1");
  return amount * (1 + rate);
}

}  // namespace

MUTIRAO_FUNCTION(normal_name, "Write a name without doubled blanks, dots and commas");
MUTIRAO_FUNCTION(is_small, "Whether a company is small");
MUTIRAO_FUNCTION(letters, "Bytes of a text, -1 for none");
MUTIRAO_FUNCTION(with_tax, "An amount with the tax on it");
