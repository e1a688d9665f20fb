#pragma once

#include <cstdint>
#include <map>
#include <stop_token>
#include <string>
#include <string_view>

#include <mutirao/frame.h>
#include <mutirao/resource.h>
#include <mutirao/status.h>
#include <mutirao/version.h>

namespace mutirao {

/// What surrounds an op's body while it runs. Threads: any, unless said otherwise.
class OpContext {
 public:
  virtual ~OpContext() = default;

  virtual const std::string& run_id() const = 0;
  virtual const std::string& op_name() const = 0;
  /// From 1; more after retries.
  virtual int attempt() const = 0;

  /// A value of the op's `config:` mapping. Errors: kNotFound, kInvalid when it is of another type.
  virtual Result<std::string> ConfigText(std::string_view key) const = 0;
  virtual Result<int64_t> ConfigInteger(std::string_view key) const = 0;
  virtual Result<double> ConfigNumber(std::string_view key) const = 0;
  virtual Result<bool> ConfigBool(std::string_view key) const = 0;

  /// Write a line to the run's log.
  virtual void Log(std::string_view message) = 0;
  /// Attach a fact to the op's record: rows written, a path, a checksum.
  virtual void AddMetadata(std::string_view key, std::string_view value) = 0;

  /// Asked to stop when the run is cancelled; a long body looks at it often.
  virtual std::stop_token stop() const = 0;

  /// A resource that the op `requires`, made by a module's MUTIRAO_RESOURCE as a T.
  /// Errors: kNotFound, kInvalid when it is of another class.
  template <typename T>
  Result<T*> resource(std::string_view name) const {
    Handle* handle = MUTIRAO_TRY(FindResource(name));
    auto* typed = dynamic_cast<T*>(handle);
    if (typed == nullptr) return Status::Invalid("resource \"" + std::string(name) + "\" is of another class");
    return typed;
  }
  virtual Result<Handle*> FindResource(std::string_view name) const = 0;
  /// What commands get to know of a resource of any type, as JSON. Errors: kNotFound.
  virtual Result<std::string> ResourceFacts(std::string_view name) const = 0;

  /// An input of the op (`in:`): a dataset as a frame, a value as JSON or, when it is one, as text.
  /// Errors: kNotFound, kInvalid when it is something else.
  virtual Result<Frame> InputFrame(std::string_view name) const = 0;
  virtual Result<std::string> InputJson(std::string_view name) const = 0;
  virtual Result<std::string> InputText(std::string_view name) const = 0;

  /// Give a value to ops after this one, which take it by `in: {x: op.name}`.
  void SetOutput(std::string_view name, std::string_view text);
  void SetOutput(std::string_view name, const char* text) { SetOutput(name, std::string_view(text)); }
  void SetOutput(std::string_view name, int64_t value);
  void SetOutput(std::string_view name, double value);
  void SetOutput(std::string_view name, bool value);
  /// The same for any JSON document. Errors: kInvalid when it is none.
  virtual Status SetOutputJson(std::string_view name, std::string_view json) = 0;
  /// Give a dataset to ops after this one: a place, and "parquet" or "ipc".
  virtual void SetOutputDataset(std::string_view name, std::string_view uri, std::string_view format) = 0;

  /// Tell how far the op is, from 0 to 1.
  virtual void Progress(double share) = 0;
};

using OpFunction = Status (*)(OpContext&);

/// An op of a module, registered when the module is loaded.
struct OpRegistration {
  OpRegistration(const char* name, OpFunction function);
};

/// The ops that this process knows, by name. Threads: after modules are loaded, read-only.
const std::map<std::string, OpFunction, std::less<>>& RegisteredOps();

}  // namespace mutirao

/// Define an op: MUTIRAO_OP(load_companies) { …; return mutirao::Status::Ok(); } with the context as `ctx`.
/// A job uses it as `module: libx.so#load_companies`.
#define MUTIRAO_OP(op_name)                                                                                \
  static ::mutirao::Status MutiraoOp_##op_name(::mutirao::OpContext& ctx);                                 \
  static const ::mutirao::OpRegistration kMutiraoOpRegistration_##op_name(#op_name, &MutiraoOp_##op_name); \
  static ::mutirao::Status MutiraoOp_##op_name([[maybe_unused]] ::mutirao::OpContext& ctx)
