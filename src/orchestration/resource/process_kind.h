#pragma once

#include "orchestration/resource/resource_kind.h"

namespace mutirao::orchestration {

/// `process`: a program that serves the ops of a run, such as a database. It leads a session of its own, is ready when
/// its check says so, and is ended with all that it started; MUTIRAO_LEASE in its environment carries the lease's name.
std::unique_ptr<ResourceKind> MakeProcessKind();

}  // namespace mutirao::orchestration
