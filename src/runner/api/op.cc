#include <mutirao/op.h>

namespace mutirao {
namespace {

std::map<std::string, OpFunction, std::less<>>& Ops() {
  static std::map<std::string, OpFunction, std::less<>> ops;
  return ops;
}

}  // namespace

OpRegistration::OpRegistration(const char* name, OpFunction function) {
  Ops()[name] = function;
}

const std::map<std::string, OpFunction, std::less<>>& RegisteredOps() {
  return Ops();
}

}  // namespace mutirao
