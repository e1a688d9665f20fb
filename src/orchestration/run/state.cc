#include "orchestration/run/state.h"

#include <array>

#include <fmt/format.h>

namespace mutirao::orchestration {
namespace {

// In the order of the enumerations.
constexpr std::array<std::string_view, 7> kRunStates{"queued",    "starting", "running",  "cancelling",
                                                     "succeeded", "failed",   "cancelled"};
constexpr std::array<std::string_view, 8> kOpStates{"pending", "running", "up_for_retry", "succeeded",
                                                    "failed",  "blocked", "skipped",      "cancelled"};

template <typename State, size_t n>
Result<State> FromName(const std::array<std::string_view, n>& names, std::string_view name, std::string_view what) {
  for (size_t i = 0; i < n; ++i) {
    if (names[i] == name) return static_cast<State>(i);
  }
  return Status::Invalid(fmt::format("\"{}\" is no state of {}", name, what))
      .Help(fmt::format("one of {}", fmt::join(names, ", ")));
}

}  // namespace

bool IsFinal(RunState state) {
  return state >= RunState::kSucceeded;
}

bool IsFinal(OpState state) {
  return state >= OpState::kSucceeded;
}

std::string_view RunStateName(RunState state) {
  return kRunStates[static_cast<size_t>(state)];
}

std::string_view OpStateName(OpState state) {
  return kOpStates[static_cast<size_t>(state)];
}

Result<RunState> RunStateFromName(std::string_view name) {
  return FromName<RunState>(kRunStates, name, "a run");
}

Result<OpState> OpStateFromName(std::string_view name) {
  return FromName<OpState>(kOpStates, name, "an op");
}

}  // namespace mutirao::orchestration
