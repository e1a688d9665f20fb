#include "orchestration/pipes/client/exception_json.h"

#include <cxxabi.h>

#include <cstdlib>
#include <typeinfo>

namespace mutirao::pipes {
namespace {

std::string Demangled(const char* name) {
  int state = 0;
  char* text = abi::__cxa_demangle(name, nullptr, nullptr, &state);
  std::string readable = state == 0 ? text : name;
  std::free(text);
  return readable;
}

}  // namespace

Json ExceptionJson(const std::string& message, const std::string& name) {
  return {{"message", message}, {"name", name}, {"stack", Json::array()}, {"cause", nullptr}, {"context", nullptr}};
}

Json DescribeException(const std::exception_ptr& exception) {
  try {
    std::rethrow_exception(exception);
  } catch (const std::exception& error) {
    Json json = ExceptionJson(error.what(), Demangled(typeid(error).name()));
    if (const auto* nested = dynamic_cast<const std::nested_exception*>(&error); nested && nested->nested_ptr()) {
      json["cause"] = DescribeException(nested->nested_ptr());
    }
    return json;
  } catch (...) {
    const std::type_info* type = abi::__cxa_current_exception_type();
    return ExceptionJson("an exception that is no std::exception", type ? Demangled(type->name()) : "unknown");
  }
}

}  // namespace mutirao::pipes
