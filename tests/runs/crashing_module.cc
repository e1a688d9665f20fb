// Ops that take their process down, each in its own way.
#include <mutirao/op.h>

#include <csignal>
#include <cstdlib>

MUTIRAO_OP(segfault) {
  raise(SIGSEGV);
  return mutirao::Status::Ok();
}

MUTIRAO_OP(abort) {
  std::abort();
}

MUTIRAO_OP(leave) {
  std::_Exit(7);
}

MUTIRAO_OP(leave_as_if_well) {
  std::_Exit(0);
}
