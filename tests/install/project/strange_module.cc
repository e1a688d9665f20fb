#include <mutirao/mutirao.h>

MUTIRAO_OP(greet) {
  std::string name = MUTIRAO_TRY(ctx.ConfigText("name"));
  ctx.Log("hello " + name);
  ctx.SetOutput("length", static_cast<int64_t>(name.size()));
  return mutirao::Status::Ok();
}
