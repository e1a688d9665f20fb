// Ops of a module for the tests of this folder: they say where they run, log, wait, fail and die.
#include <signal.h>
#include <unistd.h>

#include <chrono>
#include <cstdlib>
#include <string>
#include <thread>

#include <mutirao/mutirao.h>

namespace mt = mutirao;

MUTIRAO_OP(where) {
  ctx.SetOutput("pid", static_cast<int64_t>(getpid()));
  std::string greeting = MUTIRAO_TRY(ctx.ConfigText("greeting"));
  ctx.Log(greeting + " from attempt " + std::to_string(ctx.attempt()) + " of " + ctx.op_name());
  std::string facts = MUTIRAO_TRY(ctx.ResourceFacts("compute"));
  ctx.Log("the cluster has a scheduler: " + std::string(facts.find("scheduler") != std::string::npos ? "yes" : "no"));
  return mt::Status::Ok();
}

MUTIRAO_OP(rows) {
  mt::Frame frame = MUTIRAO_TRY(ctx.InputFrame("numbers"));
  mt::Table table = MUTIRAO_TRY(frame.Aggregate({}, {{"total", mt::Sum(mt::Col("n"))}}).Collect());
  ctx.Log("total " + std::to_string(*table.Integer(0, "total")) + " in process " + std::to_string(getpid()));
  return mt::Status::Ok();
}

MUTIRAO_OP(wait) {
  ctx.Log("waiting in process " + std::to_string(getpid()));
  for (int i = 0; i < 6000 && !ctx.stop().stop_requested(); ++i) {
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  return mt::Status::Cancelled("asked to stop");
}

MUTIRAO_OP(fail) {
  ctx.Log("about to fail");
  return mt::Status::Invalid("the numbers do not add up").Help("count again");
}

MUTIRAO_OP(die) {
  kill(getpid(), SIGKILL);
  return mt::Status::Ok();
}
