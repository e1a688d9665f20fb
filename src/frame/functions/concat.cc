#include <arrow/api.h>

#include "columnar/arrow_status.h"
#include "frame/expr/operators.h"
#include "frame/functions/text_builder.h"
#include "frame/functions/values.h"

namespace mutirao::frame {

Result<Kernel> MakeConcat(const CallSite& site) {
  return Kernel([type = site.result_type](const std::vector<ArrayPtr>& args, int64_t rows) -> Result<ArrayPtr> {
    auto nulls = MUTIRAO_TRY(CombineNulls(args, rows));
    Texts left(*args[0]), right(*args[1]);
    auto builder = MUTIRAO_TRY(TextBuilder::Make(rows, rows * 24));
    for (int64_t row = 0; row < rows; ++row) {
      std::string_view head, tail;
      if (!nulls.is_null(row)) head = left[row], tail = right[row];
      char* out = builder.Reserve(head.size() + tail.size());
      if (out == nullptr) break;
      std::copy(head.begin(), head.end(), out);
      std::copy(tail.begin(), tail.end(), out + head.size());
      builder.Commit(head.size() + tail.size());
    }
    return builder.Finish(type, std::move(nulls));
  });
}

}  // namespace mutirao::frame
