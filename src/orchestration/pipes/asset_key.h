#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace mutirao::orchestration::pipes {

/// The components of an asset's name.
using AssetKey = std::vector<std::string>;

/// Join components by `/`; inside one, `\` becomes `\\` and `/` becomes `\/`.
std::string FormatAssetKey(const AssetKey& key);

/// Read an escaped key: a backslash takes the next character as it is, a bare `/` separates. An empty last component
/// is dropped, other empty ones are kept.
AssetKey ParseAssetKey(std::string_view text);

}  // namespace mutirao::orchestration::pipes
