#include "orchestration/leases/lease_name.h"

#include <cctype>
#include <cstdint>

#include <fmt/format.h>

namespace mutirao::orchestration {
namespace {

constexpr size_t kMostOfResource = 25;  // beside "mutirao-", a run id of 24, two '-' and four digits
constexpr size_t kKeptWithHash = 16;

uint32_t Fnv1a(const std::string& text) {
  uint32_t hash = 2166136261U;
  for (unsigned char c : text) hash = (hash ^ c) * 16777619U;
  return hash;
}

}  // namespace

std::string LeaseName(const std::string& run_id, const std::string& resource, int attempt) {
  std::string part;
  for (unsigned char c : resource) part += std::isalnum(c) ? static_cast<char>(std::tolower(c)) : '-';
  if (part != resource || part.size() > kMostOfResource) {
    part = fmt::format("{}-{:08x}", part.substr(0, kKeptWithHash), Fnv1a(resource));
  }
  return fmt::format("mutirao-{}-{}-{}", run_id, part, attempt);
}

}  // namespace mutirao::orchestration
