// Ops that take their process down, each in its own way, and one that never ends.
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <fstream>
#include <list>
#include <string>
#include <thread>

#include <mutirao/op.h>
#include <mutirao/resource.h>

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

MUTIRAO_OP(throw_a_number) {
  throw 1;
}

// Its facts are no JSON mapping; what it made is released all the same.
class Odd : public mutirao::ResourceType {
 public:
  class OddHandle : public mutirao::Handle {
   public:
    std::string Facts() const override { return "[1]"; }
  };
  mutirao::Result<std::shared_ptr<mutirao::Handle>> Acquire(mutirao::ResourceContext&) override {
    return std::shared_ptr<mutirao::Handle>(std::make_shared<OddHandle>());
  }
  mutirao::Status Release(mutirao::Handle&, mutirao::Outcome) override {
    std::ofstream("released") << "";
    return mutirao::Status::Ok();
  }
};
MUTIRAO_RESOURCE(odd, Odd);

MUTIRAO_OP(deaf) {
  std::ofstream("began") << "";
  while (true) std::this_thread::sleep_for(std::chrono::seconds(1));
}

MUTIRAO_OP(greedy) {
  std::list<std::string> kept;
  while (true) kept.emplace_back(1 << 20, 'x');
}
