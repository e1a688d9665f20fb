// Ops that take their process down, each in its own way, and one that never ends.
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <fstream>
#include <list>
#include <string>
#include <thread>

#include <mutirao/op.h>

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

MUTIRAO_OP(deaf) {
  std::ofstream("began") << "";
  while (true) std::this_thread::sleep_for(std::chrono::seconds(1));
}

MUTIRAO_OP(greedy) {
  std::list<std::string> kept;
  while (true) kept.emplace_back(1 << 20, 'x');
}
