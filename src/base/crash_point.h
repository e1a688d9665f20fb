#pragma once

namespace mutirao {

/// Mark a place where the process may be told to die at once, as by `kill -9`.
///
/// MUTIRAO_FAIL_AT=name or name:n makes the n-th passage (from 1) through the point `name` call _exit(137).
/// With MUTIRAO_LIST_FAIL_POINTS=FILE every name passed is appended to FILE once, so that a test can find them all.
/// Cost: one load of a flag when neither variable is set. Threads: any.
void CrashPoint(const char* name);

}  // namespace mutirao
