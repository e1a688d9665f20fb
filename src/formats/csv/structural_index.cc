#include "formats/csv/structural_index.h"

#include "formats/csv/scan_kernels.h"

namespace mutirao::formats::csv {

bool CanIndex(const Dialect& dialect) {
  return !dialect.escapes() && !dialect.cr_ends;
}

WindowIndex IndexWindow(const Dialect& dialect, SimdLevel level, const char* data, size_t size, uint32_t base,
                        uint32_t* out) {
  const IndexRequest request{.delimiter = dialect.delimiter,
                             .quote = static_cast<char>(dialect.quote),
                             .quoting = dialect.quote >= 0,
                             .nul_breaks = dialect.nul != NulRule::kKeep};
  return KernelsOf(level).index(request, data, size, base, out);
}

}  // namespace mutirao::formats::csv
