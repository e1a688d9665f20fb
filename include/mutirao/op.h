#pragma once

#include <cstdint>
#include <map>
#include <stop_token>
#include <string>
#include <string_view>

#include <mutirao/frame.h>
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
};

using OpFunction = Status (*)(OpContext&);

/// An op of a module, registered when the module is loaded.
struct OpRegistration {
  OpRegistration(const char* name, OpFunction function);
};

/// The ops that this process knows, by name. Threads: after modules are loaded, read-only.
const std::map<std::string, OpFunction, std::less<>>& RegisteredOps();

}  // namespace mutirao

/// Tells the loader which module interface this code was built for.
extern "C" __attribute__((weak, used, visibility("default"))) int MutiraoModuleAbi() {
  return MUTIRAO_MODULE_ABI;
}

/// Define an op: MUTIRAO_OP(load_companies) { …; return mutirao::Status::Ok(); } with the context as `ctx`.
/// A job uses it as `module: libx.so#load_companies`.
#define MUTIRAO_OP(op_name)                                                                                \
  static ::mutirao::Status MutiraoOp_##op_name(::mutirao::OpContext& ctx);                                 \
  static const ::mutirao::OpRegistration kMutiraoOpRegistration_##op_name(#op_name, &MutiraoOp_##op_name); \
  static ::mutirao::Status MutiraoOp_##op_name([[maybe_unused]] ::mutirao::OpContext& ctx)
