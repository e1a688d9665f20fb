#include "base/diagnostic.h"

#include <algorithm>
#include <cctype>

#include <fmt/format.h>

namespace mutirao {
namespace {

// Edit distance with transpositions of neighbours (optimal string alignment), case ignored.
size_t EditDistance(std::string_view a, std::string_view b) {
  auto lower = [](char c) { return std::tolower(static_cast<unsigned char>(c)); };
  std::vector<std::vector<size_t>> cost(a.size() + 1, std::vector<size_t>(b.size() + 1));
  for (size_t i = 0; i <= a.size(); ++i) cost[i][0] = i;
  for (size_t j = 0; j <= b.size(); ++j) cost[0][j] = j;
  for (size_t i = 1; i <= a.size(); ++i) {
    for (size_t j = 1; j <= b.size(); ++j) {
      size_t replace = cost[i - 1][j - 1] + (lower(a[i - 1]) != lower(b[j - 1]));
      cost[i][j] = std::min({cost[i - 1][j] + 1, cost[i][j - 1] + 1, replace});
      bool swapped = i > 1 && j > 1 && lower(a[i - 1]) == lower(b[j - 2]) && lower(a[i - 2]) == lower(b[j - 1]);
      if (swapped) cost[i][j] = std::min(cost[i][j], cost[i - 2][j - 2] + 1);
    }
  }
  return cost[a.size()][b.size()];
}

}  // namespace

Status Diagnostics::ToStatus() const {
  if (list_.empty()) return Status::Ok();
  std::string text;
  for (const Diagnostic& d : list_) {
    if (!text.empty()) text += '\n';
    if (!d.pointer.empty()) text += fmt::format("at {}: ", d.pointer);
    text += d.message;
    if (!d.help.empty()) text += "; " + d.help;
  }
  return Status::Invalid(std::move(text));
}

std::string NearestName(std::string_view name, const std::vector<std::string>& candidates) {
  constexpr size_t kLongestName = 200;  // the table of EditDistance is quadratic
  if (name.empty() || name.size() > kLongestName) return {};
  std::string best;
  size_t best_distance = std::max<size_t>(1, name.size() / 3) + 1;
  for (const std::string& candidate : candidates) {
    if (candidate.size() > kLongestName) continue;
    size_t distance = EditDistance(name, candidate);
    // A name that the candidate begins or ends with is a likely abbreviation: "situacao" for "situacao_cadastral".
    if (name.size() >= 4 && (candidate.starts_with(name) || candidate.ends_with(name)))
      distance = std::min<size_t>(distance, 1);
    if (distance < best_distance) {
      best_distance = distance;
      best = candidate;
    }
  }
  return best;
}

std::string DidYouMean(std::string_view name, const std::vector<std::string>& candidates) {
  std::string nearest = NearestName(name, candidates);
  return nearest.empty() ? "" : fmt::format("did you mean \"{}\"?", nearest);
}

}  // namespace mutirao
