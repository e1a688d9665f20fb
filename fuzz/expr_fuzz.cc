// Any text as an expression: what the parser takes, the printer writes so that the parser takes it for the same.
#include <string>

#include "choices.h"
#include "frame/expr/expr.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace mutirao;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  Diagnostic error;
  const auto expr = frame::ParseExpr(text, &error);
  if (!expr.ok()) {
    fuzz::Require(!error.message.empty(), "a text that is refused gets a message");
    return 0;
  }
  const std::string printed = (*expr)->ToString();
  const auto again = frame::ParseExpr(printed);
  fuzz::Require(again.ok(), "what was printed can be parsed: " + printed);
  fuzz::Require((*again)->Equals(**expr), "what was printed means the same: " + printed);
  fuzz::Require((*again)->ToString() == printed, "what was printed is printed alike: " + printed);
  return 0;
}
