#pragma once

#include <functional>
#include <mutex>
#include <stop_token>
#include <string>

#include <mutirao/op.h>

#include "base/json.h"

namespace mutirao::runner {

/// A module's op as a job names it: "modules/libx.so#load_companies".
struct ModuleReference {
  std::string path;
  std::string op;

  /// Errors: kInvalid when the text has not the form `file.so#name`.
  static Result<ModuleReference> Parse(const std::string& text);
};

/// Load a module, once a process, and find an op in it. The library stays loaded until the process ends.
///
/// Errors: kNotFound when the file or the op is missing (the ops there are in help()), kInvalid when it is no module or
/// was built against other headers.
Result<OpFunction> LoadModuleOp(const ModuleReference& reference);

/// What a module's op asks of its surroundings, over a JSON config.
class ModuleOpContext : public OpContext {
 public:
  struct Facts {
    std::string run_id;
    std::string op_name;
    int attempt = 1;
    Json config = Json::object();
    std::stop_token stop;
    /// Takes the lines that the op logs. Threads: called from any, one at a time.
    std::function<void(const std::string&)> log;
  };
  explicit ModuleOpContext(Facts facts) : facts_(std::move(facts)) {}

  const std::string& run_id() const override { return facts_.run_id; }
  const std::string& op_name() const override { return facts_.op_name; }
  int attempt() const override { return facts_.attempt; }
  Result<std::string> ConfigText(std::string_view key) const override;
  Result<int64_t> ConfigInteger(std::string_view key) const override;
  Result<double> ConfigNumber(std::string_view key) const override;
  Result<bool> ConfigBool(std::string_view key) const override;
  void Log(std::string_view message) override;
  void AddMetadata(std::string_view key, std::string_view value) override;
  std::stop_token stop() const override { return facts_.stop; }

  /// What the op attached to its record.
  Json metadata() const;

 private:
  Result<const Json*> Find(std::string_view key) const;

  const Facts facts_;
  mutable std::mutex mutex_;
  Json metadata_ = Json::object();  // guarded by mutex_
};

}  // namespace mutirao::runner
