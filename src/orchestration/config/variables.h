#pragma once

#include <map>
#include <string>
#include <vector>

#include "base/diagnostic.h"
#include "base/json.h"
#include "orchestration/config/environment.h"

namespace mutirao::orchestration {

/// What ${…} can stand for: params, run.id, job.name, config.NAME of the op, env.NAME.
class Variables {
 public:
  explicit Variables(const Environment* environment = nullptr) : environment_(environment) {}

  void Set(std::string name, Json value) { values_[std::move(name)] = std::move(value); }

  /// Let ${…} of names that begin so stand as they are: somebody else replaces them later.
  void Keep(std::string prefix) { kept_.push_back(std::move(prefix)); }

  /// Errors: kInvalid for a name that is not there, with a did-you-mean.
  Result<Json> Find(const std::string& name) const;

  const std::map<std::string, Json>& values() const { return values_; }

  /// Replace each ${name} in `text` by the text of its value: lists joined by commas, null by nothing; $${ stands
  /// for ${ itself. A fault, also a ${ without its }, is added to `errors` with its span.
  std::string ExpandText(const std::string& text, const std::string& pointer, Diagnostics& errors) const;

  /// ExpandText for each text in a value; a text that is one ${name} and nothing else becomes the value itself, with
  /// its type. Keys of mappings stay as they are.
  Json Expand(const Json& value, const std::string& pointer, Diagnostics& errors) const;

 private:
  std::map<std::string, Json> values_;
  std::vector<std::string> kept_;
  const Environment* environment_;
};

/// A ${name} in a text: its name, and where it stands from `$` to behind `}`.
struct VariableUse {
  std::string name;
  TextSpan span;
};

/// Find all ${…} in a text; a part that is not closed is left out.
std::vector<VariableUse> FindVariables(const std::string& text);

/// A value as it stands in paths and commands.
std::string ValueAsText(const Json& value);

}  // namespace mutirao::orchestration
