#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace mutirao::frame {

/// Words that are no column names unless quoted, sorted.
const std::vector<std::string>& ReservedWords();
bool IsReservedWord(std::string_view lower);

/// Give the length in bytes of the plain (unquoted) name that `text` begins with; 0 when it begins otherwise. A name
/// begins with a letter of any script, `_` or `$` (but not `${`), and goes on with those, marks and digits.
size_t PlainNameLength(std::string_view text);

/// Lower-case ASCII letters; the rest stays.
std::string LowerAscii(std::string_view text);

}  // namespace mutirao::frame
