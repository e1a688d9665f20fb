#pragma once

#include <string>
#include <string_view>
#include <vector>

#include <mutirao/status.h>

namespace mutirao::storage {

/// Say whether a path has characters that make it a pattern: `*`, `?`, `[` or `{`.
bool HasWildcards(std::string_view pattern);

/// Write out the `{a,b}` groups of a pattern, nested ones too: "x{1,2}" gives "x1" and "x2".
/// Errors: kInvalid for a brace without partner and for more than 10,000 results.
Result<std::vector<std::string>> ExpandBraces(const std::string& pattern);

/// Match one path segment against `*`, `?` and `[…]` (`[!…]` and `[^…]` negate). `*` and `?` at the start match no dot.
/// A `[` that is never closed is an ordinary character. Works on bytes; `?` takes one whole UTF-8 character.
bool MatchSegment(std::string_view pattern, std::string_view name);

}  // namespace mutirao::storage
