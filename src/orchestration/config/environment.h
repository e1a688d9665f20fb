#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include <mutirao/status.h>

namespace mutirao::orchestration {

/// The variables that config and commands see: those of the process, with `.env` of the project below them.
class Environment {
 public:
  Environment() = default;
  explicit Environment(std::map<std::string, std::string> variables) : variables_(std::move(variables)) {}

  /// Take the variables of this process.
  static Environment OfProcess();

  /// Add those of a `.env` text: NAME=value a line, `export` allowed, # comments, '…' as it stands, "…" with \n \t \"
  /// \\. A name that is set already keeps its value. Errors: kInvalid with the line.
  Status AddDotEnv(std::string_view text);

  /// Null when it is not set.
  const std::string* Find(const std::string& name) const;
  std::vector<std::string> Names() const;
  const std::map<std::string, std::string>& variables() const { return variables_; }

  /// NAME=value a variable, for a child process.
  std::vector<std::string> ToBlock(const std::map<std::string, std::string>& more) const;

 private:
  std::map<std::string, std::string> variables_;
};

/// Say whether a variable's name looks as if its value were a secret: PASSWORD, TOKEN, SECRET, a part named KEY, …
bool LooksSecret(std::string_view name);

}  // namespace mutirao::orchestration
