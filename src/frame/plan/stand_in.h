#pragma once

#include <functional>
#include <string>

#include "frame/plan/frames_builder.h"

namespace mutirao::frame {

/// Give what a frame would look like behind a step that is wrong, as far as it can be told, so that the steps behind it
/// can be checked too. All columns have their names; those that the step was to make may have another type
/// (UnknownColumns knows them). The plan is for checks only: its rows mean nothing.
///
/// `known_frame` gives a frame that was built before, or null. Null: nothing can be told of the columns.
PlanPtr StandIn(const PlanPtr& input, const Json& step, const FramesContext& context,
                const std::function<PlanPtr(const std::string& name, const std::string& pointer)>& known_frame);

}  // namespace mutirao::frame
