#include "orchestration/pipes/asset_key.h"

namespace mutirao::orchestration::pipes {

std::string FormatAssetKey(const AssetKey& key) {
  std::string text;
  for (size_t i = 0; i < key.size(); ++i) {
    if (i > 0) text += '/';
    for (char c : key[i]) {
      if (c == '\\' || c == '/') text += '\\';
      text += c;
    }
  }
  return text;
}

AssetKey ParseAssetKey(std::string_view text) {
  AssetKey key;
  std::string component;
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '/') {
      key.push_back(std::move(component));
      component.clear();
    } else if (text[i] == '\\' && i + 1 < text.size()) {
      component += text[++i];
    } else {
      component += text[i];
    }
  }
  if (!component.empty()) key.push_back(std::move(component));
  return key;
}

}  // namespace mutirao::orchestration::pipes
