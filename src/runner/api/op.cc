#include <mutirao/op.h>

#include "base/json.h"

namespace mutirao {
namespace {

std::map<std::string, OpFunction, std::less<>>& Ops() {
  static std::map<std::string, OpFunction, std::less<>> ops;
  return ops;
}

std::map<std::string, ResourceType*, std::less<>>& Resources() {
  static std::map<std::string, ResourceType*, std::less<>> resources;
  return resources;
}

void SetPlain(OpContext& ctx, std::string_view name, const Json& value) {
  const std::string json = value.dump(-1, ' ', false, Json::error_handler_t::replace);
  MUTIRAO_MUST(ctx.SetOutputJson(name, json));
}

}  // namespace

OpRegistration::OpRegistration(const char* name, OpFunction function) {
  Ops()[name] = function;
}

const std::map<std::string, OpFunction, std::less<>>& RegisteredOps() {
  return Ops();
}

ResourceRegistration::ResourceRegistration(const char* name, ResourceType* type) {
  Resources()[name] = type;
}

const std::map<std::string, ResourceType*, std::less<>>& RegisteredResources() {
  return Resources();
}

void OpContext::SetOutput(std::string_view name, std::string_view text) {
  SetPlain(*this, name, std::string(text));
}

void OpContext::SetOutput(std::string_view name, int64_t value) {
  SetPlain(*this, name, value);
}

void OpContext::SetOutput(std::string_view name, double value) {
  SetPlain(*this, name, value);
}

void OpContext::SetOutput(std::string_view name, bool value) {
  SetPlain(*this, name, value);
}

}  // namespace mutirao
