#pragma once

#include <functional>
#include <map>
#include <string>

#include "base/diagnostic.h"
#include "base/json.h"
#include "frame/format_registry.h"
#include "frame/plan/plan.h"

namespace mutirao::frame {

struct FramesContext {
  const FormatRegistry* registry = nullptr;
  FormatContext formats;
  const Parameters* parameters = nullptr;
  /// Of the job's modules.
  const FunctionSet* functions = nullptr;
};

/// The frames of an op by name.
struct FramePlans {
  std::map<std::string, PlanPtr> plans;
  /// What frames with faults would be as far as it can be told (see StandIn): to check what uses them, never to run.
  std::map<std::string, PlanPtr> stand_ins;
};

/// Build the plans of an op's `frames:` mapping, each in the order its steps are written, other frames wherever a join
/// or union names them (cycles are an error).
///
/// Every fault is added to `errors` with its pointer (below `pointer`, that of the mapping) and, in expressions, its
/// span. A fault does not end the check of its frame, nor of frames that use it: what follows is checked against a
/// stand-in, and told only if it is wrong whatever the faulty part was meant to be.
FramePlans BuildFrames(const Json& frames, const std::string& pointer, const FramesContext& context,
                       Diagnostics& errors);

/// Apply one step ({"filter": "…"}) to a plan. `find_frame` gives the plan of another frame, or null after having
/// reported why not.
Result<PlanPtr> BuildStep(const PlanPtr& input, const Json& step, const std::string& pointer,
                          const FramesContext& context,
                          const std::function<PlanPtr(const std::string& name, const std::string& pointer)>& find_frame,
                          Diagnostics& errors);

}  // namespace mutirao::frame
