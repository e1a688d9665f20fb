#pragma once

#include <string>

namespace mutirao::pipes {

/// Append a last message to a file when a signal ends this process: SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT. The
/// signal does what it did before. Only one file at a time.
///
/// All text is made here; the handler calls open, write and close alone.
void ReportCrashesTo(const std::string& path);
void StopReportingCrashes();

}  // namespace mutirao::pipes
