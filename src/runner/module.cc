#include "runner/module.h"

#include <dlfcn.h>
#include <stdlib.h>

#include <filesystem>

#include <fmt/format.h>

#include "base/diagnostic.h"
#include "base/log.h"

namespace mutirao::runner {
namespace {

using OpTable = std::map<std::string, OpFunction, std::less<>>;

// Loads a library and gives the ops that registered themselves meanwhile. Called under the loader's lock.
Result<OpTable> LoadLibrary(const std::string& path) {
  const OpTable before = RegisteredOps();
  void* library = dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (!library) return Status::Invalid(fmt::format("cannot load module {}: {}", path, dlerror()));
  auto abi = reinterpret_cast<int (*)()>(dlsym(library, "MutiraoModuleAbi"));
  if (!abi) {
    return Status::Invalid(fmt::format("{} is not a module: it defines no MUTIRAO_OP", path));
  }
  if (abi() != MUTIRAO_MODULE_ABI) {
    return Status::Invalid(fmt::format("module {} was built for module interface {}, this program has {}", path, abi(),
                                       MUTIRAO_MODULE_ABI))
        .Help("build the module again with the headers of this version");
  }
  OpTable ops;
  for (const auto& [name, function] : RegisteredOps()) {
    auto known = before.find(name);
    if (known == before.end() || known->second != function) ops[name] = function;
  }
  return ops;
}

}  // namespace

Result<ModuleReference> ModuleReference::Parse(const std::string& text) {
  const size_t hash = text.rfind('#');
  if (hash == std::string::npos || hash == 0 || hash + 1 == text.size()) {
    return Status::Invalid(fmt::format("\"{}\" does not name an op of a module", text))
        .Help("write the library and the op: modules/libx.so#load_companies");
  }
  return ModuleReference{text.substr(0, hash), text.substr(hash + 1)};
}

Result<OpFunction> LoadModuleOp(const ModuleReference& reference) {
  static std::mutex mutex;
  static std::map<std::string, OpTable> loaded;
  std::error_code error;
  const std::string path = std::filesystem::canonical(reference.path, error).string();
  if (error) return Status::NotFound(fmt::format("module {} does not exist", reference.path));

  std::lock_guard lock(mutex);
  auto module = loaded.find(path);
  if (module == loaded.end()) {
    OpTable ops = MUTIRAO_TRY(LoadLibrary(path));
    module = loaded.emplace(path, std::move(ops)).first;
  }
  auto op = module->second.find(reference.op);
  if (op != module->second.end()) return op->second;

  std::vector<std::string> names;
  for (const auto& [name, function] : module->second) names.push_back(name);
  return Status::NotFound(fmt::format("module {} has no op \"{}\"", reference.path, reference.op))
      .Help(fmt::format("it has: {}", fmt::join(names, ", ")));
}

Result<const Json*> ModuleOpContext::Find(std::string_view key) const {
  auto value = facts_.config.find(std::string(key));
  if (value == facts_.config.end()) {
    return Status::NotFound(fmt::format("op \"{}\" has no config value \"{}\"", facts_.op_name, key))
        .Help(fmt::format("add it under ops.{}.config", facts_.op_name));
  }
  return &*value;
}

Result<std::string> ModuleOpContext::ConfigText(std::string_view key) const {
  const Json* value = MUTIRAO_TRY(Find(key));
  if (!value->is_string())
    return Status::Invalid(fmt::format("config value \"{}\" is not text: {}", key, value->dump()));
  return value->get<std::string>();
}

Result<int64_t> ModuleOpContext::ConfigInteger(std::string_view key) const {
  const Json* value = MUTIRAO_TRY(Find(key));
  if (!value->is_number_integer()) {
    return Status::Invalid(fmt::format("config value \"{}\" is not an integer: {}", key, value->dump()));
  }
  return value->get<int64_t>();
}

Result<double> ModuleOpContext::ConfigNumber(std::string_view key) const {
  const Json* value = MUTIRAO_TRY(Find(key));
  if (!value->is_number()) {
    return Status::Invalid(fmt::format("config value \"{}\" is not a number: {}", key, value->dump()));
  }
  return value->get<double>();
}

Result<bool> ModuleOpContext::ConfigBool(std::string_view key) const {
  const Json* value = MUTIRAO_TRY(Find(key));
  if (!value->is_boolean()) {
    return Status::Invalid(fmt::format("config value \"{}\" is not true or false: {}", key, value->dump()));
  }
  return value->get<bool>();
}

void ModuleOpContext::Log(std::string_view message) {
  std::lock_guard lock(mutex_);
  facts_.log(Redactor::Global().Mask(message));
}

void ModuleOpContext::AddMetadata(std::string_view key, std::string_view value) {
  std::lock_guard lock(mutex_);
  metadata_[std::string(key)] = std::string(value);
}

Json ModuleOpContext::metadata() const {
  std::lock_guard lock(mutex_);
  return metadata_;
}

}  // namespace mutirao::runner
