#include "columnar/memory_pool.h"

#include <algorithm>
#include <cstdlib>

#include <arrow/memory_pool.h>

namespace mutirao {

void ChooseMemoryPool() {
  // A name that Arrow does not know would be a warning on the terminal.
  const auto names = arrow::SupportedMemoryBackendNames();
  if (std::ranges::find(names, "jemalloc") != names.end()) setenv("ARROW_DEFAULT_MEMORY_POOL", "jemalloc", 0);
}

}  // namespace mutirao
