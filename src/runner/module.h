#pragma once

#include <functional>
#include <mutex>
#include <stop_token>
#include <string>

#include <mutirao/op.h>

#include "base/json.h"
#include "frame/expr/function.h"
#include "orchestration/resource/resource_kind.h"
#include "runner/op_inputs.h"

namespace mutirao::runner {

/// A part of a module as a job names it: "modules/libx.so#load_companies".
struct ModuleReference {
  std::string path;
  std::string name;

  /// Errors: kInvalid when the text has not the form `file.so#name`.
  static Result<ModuleReference> Parse(const std::string& text);
};

/// Load a module, once a process, and find an op in it. The library stays loaded until the process ends.
///
/// Errors: kNotFound when the file or the op is missing (the ops there are in help()), kInvalid when it is no module or
/// was built against other headers.
Result<OpFunction> LoadModuleOp(const ModuleReference& reference);

/// The same for a resource type. It lives as long as the process.
Result<ResourceType*> LoadModuleResource(const ModuleReference& reference);

/// The same for all functions of a module, which have its path and the hash of its content; there may be none.
/// Errors: also kInvalid for a function that expressions cannot call.
Result<frame::FunctionSet> LoadModuleFunctions(const std::string& path);

/// Values of a config by key and type.
class ModuleConfig {
 public:
  /// `of` names it in errors: op "load"; `place` is where to add a value: ops.load.config.
  ModuleConfig(Json config, std::string of, std::string place)
      : config_(std::move(config)), of_(std::move(of)), place_(std::move(place)) {}

  bool Has(std::string_view key) const { return config_.contains(std::string(key)); }
  Result<std::string> Text(std::string_view key) const;
  Result<int64_t> Integer(std::string_view key) const;
  Result<double> Number(std::string_view key) const;
  Result<bool> Bool(std::string_view key) const;

 private:
  Result<const Json*> Find(std::string_view key) const;

  const Json config_;
  const std::string of_;
  const std::string place_;
};

/// What a module's op asks of its surroundings.
class ModuleOpContext : public OpContext {
 public:
  struct Facts {
    std::string run_id;
    std::string op_name;
    std::string project_root;
    int attempt = 1;
    Json config = Json::object();
    std::stop_token stop;
    /// Takes the lines that the op logs. Threads: called from any, one at a time.
    std::function<void(const std::string&)> log;
    std::function<void(double)> progress;
    std::map<std::string, const orchestration::Resource*> resources;
    OpInputs inputs;
  };
  explicit ModuleOpContext(Facts facts);

  const std::string& run_id() const override { return facts_.run_id; }
  const std::string& op_name() const override { return facts_.op_name; }
  int attempt() const override { return facts_.attempt; }
  Result<std::string> ConfigText(std::string_view key) const override { return config_.Text(key); }
  Result<int64_t> ConfigInteger(std::string_view key) const override { return config_.Integer(key); }
  Result<double> ConfigNumber(std::string_view key) const override { return config_.Number(key); }
  Result<bool> ConfigBool(std::string_view key) const override { return config_.Bool(key); }
  void Log(std::string_view message) override;
  void AddMetadata(std::string_view key, std::string_view value) override;
  std::stop_token stop() const override { return facts_.stop; }
  Result<Handle*> FindResource(std::string_view name) const override;
  Result<std::string> ResourceFacts(std::string_view name) const override;
  Result<Frame> InputFrame(std::string_view name) const override;
  Result<std::string> InputJson(std::string_view name) const override;
  Result<std::string> InputText(std::string_view name) const override;
  Status SetOutputJson(std::string_view name, std::string_view json) override;
  void SetOutputDataset(std::string_view name, std::string_view uri, std::string_view format) override;
  void Progress(double share) override;

  /// What the op attached to its record, and what it gives to others.
  Json metadata() const;
  Json outputs() const;

 private:
  Result<const orchestration::Resource*> FindAny(std::string_view name) const;
  Result<const Json*> FindInput(std::string_view name) const;

  const Facts facts_;
  const ModuleConfig config_;
  mutable std::mutex mutex_;
  Json metadata_ = Json::object();  // guarded by mutex_
  Json outputs_ = Json::object();   // guarded by mutex_
};

}  // namespace mutirao::runner
