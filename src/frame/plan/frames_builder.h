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
};

/// Build the plans of an op's `frames:` mapping, each in the order its steps are written, other frames wherever a join
/// or union names them (cycles are an error).
///
/// Every fault is added to `errors` with its pointer (below `pointer`, that of the mapping) and, in expressions, its
/// span; frames with faults are left out of the result and do not cause errors in frames that use them.
std::map<std::string, PlanPtr> BuildFrames(const Json& frames, const std::string& pointer, const FramesContext& context,
                                           Diagnostics& errors);

/// Apply one step ({"filter": "…"}) to a plan. `find_frame` gives the plan of another frame, or null after having
/// reported why not.
Result<PlanPtr> BuildStep(const PlanPtr& input, const Json& step, const std::string& pointer,
                          const FramesContext& context,
                          const std::function<PlanPtr(const std::string& name, const std::string& pointer)>& find_frame,
                          Diagnostics& errors);

}  // namespace mutirao::frame
