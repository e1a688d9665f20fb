#include "frame/functions/values.h"

#include <charconv>

#include <arrow/util/bitmap_ops.h>
#include <fmt/format.h>

#include "base/utf8.h"
#include "frame/expr/literal.h"

namespace mutirao::frame {

Result<std::shared_ptr<arrow::Buffer>> MakeBitmap(int64_t rows, bool value) {
  std::shared_ptr<arrow::Buffer> bitmap = MUTIRAO_TRY(arrow::AllocateBuffer(arrow::bit_util::BytesForBits(rows)));
  std::memset(bitmap->mutable_data(), value ? 0xFF : 0, static_cast<size_t>(bitmap->size()));
  return bitmap;
}

Nulls NullsOf(std::shared_ptr<arrow::Buffer> bitmap, int64_t rows) {
  int64_t count = rows - arrow::internal::CountSetBits(bitmap->data(), 0, rows);
  if (count == 0) return {};
  return {std::move(bitmap), count};
}

Result<Nulls> CombineNulls(const std::vector<ArrayPtr>& args, int64_t rows) {
  Nulls nulls;
  for (const ArrayPtr& arg : args) {
    if (arg->null_count() == 0) continue;
    if (arg->length() == 1 && rows != 1) {
      nulls.bitmap = MUTIRAO_TRY(MakeBitmap(rows, false));
      nulls.count = rows;
      return nulls;
    }
    const uint8_t* bits = arg->null_bitmap_data();
    if (nulls.bitmap == nullptr) {
      nulls.count = arg->null_count();
      if (arg->offset() == 0) {
        nulls.bitmap = arg->null_bitmap();
      } else {
        nulls.bitmap =
            MUTIRAO_TRY(arrow::internal::CopyBitmap(arrow::default_memory_pool(), bits, arg->offset(), rows));
      }
      continue;
    }
    auto both = MUTIRAO_TRY(arrow::internal::BitmapAnd(arrow::default_memory_pool(), nulls.bitmap->data(), 0, bits,
                                                       arg->offset(), rows, 0));
    nulls = NullsOf(std::move(both), rows);
  }
  return nulls;
}

namespace {
constexpr std::string_view kRowPrefix = "row ";
}

Status RowError(int64_t row, std::string_view message) {
  return Status::Invalid(fmt::format("{}{}: {}", kRowPrefix, row, message));
}

Status AtOuterRow(Status status, const int64_t* outer_rows, int64_t count) {
  std::string_view message = status.message();
  if (status.code() != StatusCode::kInvalid || !message.starts_with(kRowPrefix)) return status;
  int64_t row = -1;
  const char* end = message.data() + message.size();
  auto [rest, error] = std::from_chars(message.data() + kRowPrefix.size(), end, row);
  if (error != std::errc() || rest == end || *rest != ':' || row < 0 || row >= count) return status;
  Status outer = Status::Invalid(fmt::format("{}{}{}", kRowPrefix, outer_rows[row], std::string_view(rest, end)));
  return std::move(outer).Help(status.help());
}

std::string ShowText(std::string_view text) {
  constexpr size_t kLongest = 60;
  if (text.size() <= kLongest) return QuoteText(text);
  size_t cut = kLongest;
  while (cut > 0 && IsContinuationByte(text[cut])) --cut;
  return QuoteText(text.substr(0, cut)) + "…";
}

}  // namespace mutirao::frame
