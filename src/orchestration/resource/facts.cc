#include "orchestration/resource/facts.h"

namespace mutirao::orchestration {
namespace {

void SetBelow(Variables& variables, const std::string& prefix, const Json& facts) {
  for (const auto& [key, value] : facts.items()) {
    if (value.is_object()) {
      SetBelow(variables, prefix + key + ".", value);
    } else {
      variables.Set(prefix + key, value);
    }
  }
}

}  // namespace

void SetFacts(Variables& variables, const std::string& resource, const Json& facts) {
  if (facts.is_object()) SetBelow(variables, "resources." + resource + ".", facts);
}

}  // namespace mutirao::orchestration
