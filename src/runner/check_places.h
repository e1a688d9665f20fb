#pragma once

#include <string>

#include "base/diagnostic.h"
#include "runner/bind_frames.h"

namespace mutirao::runner {

/// Where an output will stand: absolute, links followed as far as they exist.
std::string PlaceOf(const std::string& root, const std::string& target);

/// Find writes of an op that would end up in each other's place, or in that of what the op reads: two of one target,
/// one inside another, an output that replaces an input, an output that the next run would read. Relative paths start
/// at `root`. Appending to what is read is no fault: nothing that is read goes away.
void CheckPlaces(const BoundFrames& bound, const std::string& root, Diagnostics& errors);

}  // namespace mutirao::runner
