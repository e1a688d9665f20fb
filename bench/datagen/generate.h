#pragma once

#include <string>

#include <mutirao/status.h>

#include "tables.h"

namespace mutirao::datagen {

/// Write a whole table to a file, with so many threads. The bytes do not depend on the number of threads.
/// Threads: blocks; uses its own threads, and memory for a few blocks of 4 MB each.
Result<Tally> Generate(const Recipe& recipe, const std::string& path, int threads);

}  // namespace mutirao::datagen
