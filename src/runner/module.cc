#include "runner/module.h"

#include <dlfcn.h>
#include <stdlib.h>

#include <filesystem>

#include <fmt/format.h>

#include "base/diagnostic.h"
#include "base/elf_platform.h"
#include "base/log.h"
#include "frame/functions/module_function.h"
#include "frame/plan/plan.h"
#include "runner/all_formats.h"
#include "runner/module_file.h"
#include "runner/module_resource.h"
#include "storage/storage.h"

namespace mutirao::runner {
namespace {

using OpTable = std::map<std::string, OpFunction, std::less<>>;
using ResourceTable = std::map<std::string, ResourceType*, std::less<>>;

// What registered itself when a library was loaded.
struct Module {
  OpTable ops;
  ResourceTable resources;
  std::map<std::string, frame::FunctionDef> functions;
};

template <typename Table>
Table NewIn(const Table& now, const Table& before) {
  Table fresh;
  for (const auto& [name, entry] : now) {
    auto known = before.find(name);
    if (known == before.end() || known->second != entry) fresh[name] = entry;
  }
  return fresh;
}

// What one of the two interfaces of modules, that of ops and resources or that of functions, says of its version.
// False: the library does not have it.
Result<bool> CheckInterface(void* library, const char* symbol, int own, const char* kind, const std::string& path) {
  auto abi = reinterpret_cast<int (*)()>(dlsym(library, symbol));
  if (abi == nullptr) return false;
  if (abi() == own) return true;
  return Status::Invalid(
             fmt::format("module {} was built for {} interface {}, this program has {}", path, kind, abi(), own))
      .Help("build the module again with the headers of this version");
}

Result<std::map<std::string, frame::FunctionDef>> ReadFunctions(void* library, const std::string& path) {
  std::map<std::string, frame::FunctionDef> functions;
  auto list = reinterpret_cast<const MutiraoFunction* (*)()>(dlsym(library, "MutiraoFunctions"));
  const MutiraoFunction* function = list == nullptr ? nullptr : list();
  if (function == nullptr) return functions;
  const std::string hash = MUTIRAO_TRY(ContentHash(path));
  for (; function != nullptr; function = function->next) {
    auto def = frame::DescribeModuleFunction(*function, path, hash);
    if (!def.ok()) return def.status().Context(fmt::format("module {}", path));
    const std::string name = def->name;
    if (!functions.emplace(name, std::move(def).value()).second) {
      return Status::Invalid(fmt::format("module {} has two functions {}()", path, name));
    }
  }
  return functions;
}

// Called under the loader's lock.
Result<Module> LoadLibrary(const std::string& path) {
  const OpTable ops = RegisteredOps();
  const ResourceTable resources = RegisteredResources();
  const Result<std::string> built_for = PlatformOfLibrary(path);
  if (built_for.ok() && *built_for != OwnPlatform()) {
    return Status::Invalid(
               fmt::format("module {} is built for {}, this machine is {}", path, *built_for, OwnPlatform()))
        .Help("build the module on a machine like this one");
  }
  void* library = dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (!library) return Status::Invalid(fmt::format("cannot load module {}: {}", path, dlerror()));
  const bool has_ops = MUTIRAO_TRY(CheckInterface(library, "MutiraoModuleAbi", MUTIRAO_MODULE_ABI, "module", path));
  const bool has_functions =
      MUTIRAO_TRY(CheckInterface(library, "MutiraoFunctionAbi", MUTIRAO_FUNCTION_ABI, "function", path));
  if (!has_ops && !has_functions) {
    return Status::Invalid(
        fmt::format("{} is not a module: it defines no MUTIRAO_OP, MUTIRAO_RESOURCE or MUTIRAO_FUNCTION", path));
  }
  Module module{NewIn(RegisteredOps(), ops), NewIn(RegisteredResources(), resources), {}};
  if (has_functions) module.functions = MUTIRAO_TRY(ReadFunctions(library, path));
  return module;
}

Result<const Module*> Load(const std::string& file) {
  static std::mutex mutex;
  static std::map<std::string, Module> loaded;
  std::error_code error;
  const std::string path = std::filesystem::canonical(file, error).string();
  if (error) return Status::NotFound(fmt::format("module {} does not exist", file));
  std::lock_guard lock(mutex);
  auto module = loaded.find(path);
  if (module == loaded.end()) {
    Module made = MUTIRAO_TRY(LoadLibrary(path));
    module = loaded.emplace(path, std::move(made)).first;
  }
  return &module->second;
}

template <typename Table>
Result<typename Table::mapped_type> FindPart(const Table& table, const ModuleReference& reference, const char* kind) {
  auto part = table.find(reference.name);
  if (part != table.end()) return part->second;
  std::vector<std::string> names;
  for (const auto& [name, entry] : table) names.push_back(name);
  return Status::NotFound(fmt::format("module {} has no {} \"{}\"", reference.path, kind, reference.name))
      .Help(names.empty() ? "it has none" : fmt::format("it has: {}", fmt::join(names, ", ")));
}

}  // namespace

Result<ModuleReference> ModuleReference::Parse(const std::string& text) {
  const size_t hash = text.rfind('#');
  if (hash == std::string::npos || hash == 0 || hash + 1 == text.size()) {
    return Status::Invalid(fmt::format("\"{}\" does not name a part of a module", text))
        .Help("write the library and the name in it: modules/libx.so#load_companies");
  }
  return ModuleReference{text.substr(0, hash), text.substr(hash + 1)};
}

Result<OpFunction> LoadModuleOp(const ModuleReference& reference) {
  const Module* module = MUTIRAO_TRY(Load(reference.path));
  return FindPart(module->ops, reference, "op");
}

Result<ResourceType*> LoadModuleResource(const ModuleReference& reference) {
  const Module* module = MUTIRAO_TRY(Load(reference.path));
  return FindPart(module->resources, reference, "resource");
}

Result<frame::FunctionSet> LoadModuleFunctions(const std::string& path) {
  const Module* module = MUTIRAO_TRY(Load(path));
  frame::FunctionSet functions;
  for (const auto& [name, function] : module->functions) functions[name] = &function;
  return functions;
}

Result<const Json*> ModuleConfig::Find(std::string_view key) const {
  auto value = config_.find(std::string(key));
  if (value == config_.end()) {
    return Status::NotFound(fmt::format("{} has no config value \"{}\"", of_, key))
        .Help(fmt::format("add it under {}", place_));
  }
  return &*value;
}

Result<std::string> ModuleConfig::Text(std::string_view key) const {
  const Json* value = MUTIRAO_TRY(Find(key));
  if (!value->is_string())
    return Status::Invalid(fmt::format("config value \"{}\" is not text: {}", key, value->dump()));
  return value->get<std::string>();
}

Result<int64_t> ModuleConfig::Integer(std::string_view key) const {
  const Json* value = MUTIRAO_TRY(Find(key));
  if (!value->is_number_integer()) {
    return Status::Invalid(fmt::format("config value \"{}\" is not an integer: {}", key, value->dump()));
  }
  return value->get<int64_t>();
}

Result<double> ModuleConfig::Number(std::string_view key) const {
  const Json* value = MUTIRAO_TRY(Find(key));
  if (!value->is_number()) {
    return Status::Invalid(fmt::format("config value \"{}\" is not a number: {}", key, value->dump()));
  }
  return value->get<double>();
}

Result<bool> ModuleConfig::Bool(std::string_view key) const {
  const Json* value = MUTIRAO_TRY(Find(key));
  if (!value->is_boolean()) {
    return Status::Invalid(fmt::format("config value \"{}\" is not true or false: {}", key, value->dump()));
  }
  return value->get<bool>();
}

ModuleOpContext::ModuleOpContext(Facts facts)
    : facts_(std::move(facts)),
      config_(facts_.config, fmt::format("op \"{}\"", facts_.op_name), fmt::format("ops.{}.config", facts_.op_name)) {}

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

Result<const orchestration::Resource*> ModuleOpContext::FindAny(std::string_view name) const {
  auto found = facts_.resources.find(std::string(name));
  if (found != facts_.resources.end()) return found->second;
  return Status::NotFound(fmt::format("op \"{}\" has no resource \"{}\"", facts_.op_name, name))
      .Help(fmt::format("add it under ops.{}.requires", facts_.op_name));
}

Result<Handle*> ModuleOpContext::FindResource(std::string_view name) const {
  const orchestration::Resource* resource = MUTIRAO_TRY(FindAny(name));
  const auto* module = dynamic_cast<const ModuleResource*>(resource);
  if (module == nullptr) {
    return Status::Invalid(fmt::format("resource \"{}\" is not of type module", name))
        .Help("ResourceFacts tells what is known of it");
  }
  return module->handle();
}

Result<std::string> ModuleOpContext::ResourceFacts(std::string_view name) const {
  const orchestration::Resource* resource = MUTIRAO_TRY(FindAny(name));
  return resource->facts().dump();
}

Result<const Json*> ModuleOpContext::FindInput(std::string_view name) const {
  auto found = facts_.inputs.find(std::string(name));
  if (found != facts_.inputs.end()) return &found->second;
  return Status::NotFound(fmt::format("op \"{}\" has no input \"{}\"", facts_.op_name, name))
      .Help(fmt::format("add it under ops.{}.in", facts_.op_name));
}

Result<Frame> ModuleOpContext::InputFrame(std::string_view name) const {
  const Json* input = MUTIRAO_TRY(FindInput(name));
  Json spec = MUTIRAO_TRY(ReadSpecOf({.op = facts_.op_name, .output = std::string(name)}, *input));
  Diagnostics errors;
  auto source = AllFormats().MakeSource(spec, {.base_dir = facts_.project_root, .find_layout = nullptr}, errors);
  if (!source.ok()) return errors.empty() ? source.status() : errors.ToStatus();
  auto plan = MUTIRAO_TRY(frame::MakeScan(*source, false));
  return Frame(plan);
}

Result<std::string> ModuleOpContext::InputJson(std::string_view name) const {
  const Json* input = MUTIRAO_TRY(FindInput(name));
  return (input->contains("value") ? (*input)["value"] : *input).dump();
}

Result<std::string> ModuleOpContext::InputText(std::string_view name) const {
  const Json* input = MUTIRAO_TRY(FindInput(name));
  if (input->contains("value") && (*input)["value"].is_string()) return (*input)["value"].get<std::string>();
  return Status::Invalid(fmt::format("input \"{}\" is not text", name));
}

Status ModuleOpContext::SetOutputJson(std::string_view name, std::string_view json) {
  Json value = MUTIRAO_TRY(ParseJson(json).Context(fmt::format("output \"{}\"", name)));
  std::lock_guard lock(mutex_);
  outputs_[std::string(name)] = {{"value", std::move(value)}};
  return Status::Ok();
}

void ModuleOpContext::SetOutputDataset(std::string_view name, std::string_view uri, std::string_view format) {
  std::lock_guard lock(mutex_);
  outputs_[std::string(name)] = {{"uri", storage::ResolvePath(facts_.project_root, std::string(uri))},
                                 {"format", std::string(format)}};
}

void ModuleOpContext::Progress(double share) {
  if (facts_.progress) facts_.progress(share);
}

Json ModuleOpContext::outputs() const {
  std::lock_guard lock(mutex_);
  return outputs_;
}

}  // namespace mutirao::runner
