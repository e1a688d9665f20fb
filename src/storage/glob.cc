#include "storage/glob.h"

#include <algorithm>
#include <optional>

#include "base/utf8.h"

namespace mutirao::storage {
namespace {

constexpr size_t kMaxExpansions = 10000;

// The place of the brace that closes the one at `open`, and the commas between them at the same depth.
struct BraceGroup {
  size_t close = std::string::npos;
  std::vector<size_t> commas;
};

BraceGroup FindGroup(const std::string& text, size_t open) {
  BraceGroup group;
  int depth = 0;
  for (size_t i = open; i < text.size(); ++i) {
    if (text[i] == '{') ++depth;
    if (text[i] == ',' && depth == 1) group.commas.push_back(i);
    if (text[i] == '}' && --depth == 0) {
      group.close = i;
      break;
    }
  }
  return group;
}

Status Expand(const std::string& text, std::vector<std::string>& out) {
  size_t open = text.find('{');
  if (open == std::string::npos) {
    if (out.size() >= kMaxExpansions) return Status::Invalid("pattern stands for more than 10,000 paths");
    out.push_back(text);
    return Status::Ok();
  }
  BraceGroup group = FindGroup(text, open);
  if (group.close == std::string::npos) return Status::Invalid("pattern \"" + text + "\" has { without }");
  group.commas.push_back(group.close);
  size_t begin = open + 1;
  for (size_t end : group.commas) {
    MUTIRAO_TRY(Expand(text.substr(0, open) + text.substr(begin, end - begin) + text.substr(group.close + 1), out));
    begin = end + 1;
  }
  return Status::Ok();
}

// Whether the set at the front of `pattern` takes `c`, and how long the set is; nothing when it is not closed.
struct SetMatch {
  bool matches = false;
  size_t length = 0;
};

std::optional<SetMatch> MatchSet(std::string_view pattern, char c) {
  size_t i = 1;
  bool negate = i < pattern.size() && (pattern[i] == '!' || pattern[i] == '^');
  if (negate) ++i;
  bool found = false;
  for (size_t first = i; i < pattern.size() && (pattern[i] != ']' || i == first); ++i) {
    unsigned char low = pattern[i];
    unsigned char high = low;
    if (i + 2 < pattern.size() && pattern[i + 1] == '-' && pattern[i + 2] != ']') {
      high = pattern[i + 2];
      i += 2;
    }
    auto value = static_cast<unsigned char>(c);
    if (low <= value && value <= high) found = true;
  }
  if (i >= pattern.size()) return std::nullopt;
  return SetMatch{found != negate, i + 1};
}

// How many characters of pattern and name go together here; nothing when they do not match.
std::optional<std::pair<size_t, size_t>> MatchOne(std::string_view pattern, std::string_view name) {
  if (pattern.empty() || name.empty()) return std::nullopt;
  if (pattern[0] == '?') return std::pair{size_t{1}, CharacterEnd(name, 0)};
  if (pattern[0] == '[') {
    if (auto set = MatchSet(pattern, name[0])) {
      if (!set->matches) return std::nullopt;
      return std::pair{set->length, size_t{1}};
    }
  }
  if (pattern[0] != name[0]) return std::nullopt;
  return std::pair{size_t{1}, size_t{1}};
}

}  // namespace

bool HasWildcards(std::string_view pattern) {
  return pattern.find_first_of("*?[{") != std::string_view::npos;
}

Result<std::vector<std::string>> ExpandBraces(const std::string& pattern) {
  std::vector<std::string> out;
  MUTIRAO_TRY(Expand(pattern, out));
  return out;
}

bool MatchSegment(std::string_view pattern, std::string_view name) {
  if (!name.empty() && name[0] == '.' && (pattern.empty() || pattern[0] != '.')) return false;
  // Greedy with one point to return to: the last star.
  size_t p = 0, n = 0;
  std::optional<std::pair<size_t, size_t>> star;
  while (n < name.size() || p < pattern.size()) {
    if (p < pattern.size() && pattern[p] == '*') {
      star = {p + 1, n};
      ++p;
      continue;
    }
    if (auto step = MatchOne(pattern.substr(p), name.substr(n))) {
      p += step->first;
      n += step->second;
      continue;
    }
    if (!star || star->second >= name.size()) return false;
    p = star->first;
    n = ++star->second;
  }
  return true;
}

}  // namespace mutirao::storage
