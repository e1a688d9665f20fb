#include <bit>

#include <arrow/api.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

#include "columnar/arrow_status.h"
#include "frame/functions/families.h"
#include "frame/functions/int128.h"
#include "frame/functions/physical.h"
#include "frame/functions/values.h"

namespace mutirao::frame {
namespace {

// XXH3-64 of the value's bytes, little-endian: texts as they are, numbers at the width of their type, with one zero and
// one NaN. A null counts as no bytes under another seed. Further arguments are chained through the seed.
constexpr uint64_t kNullSeed = 0x6E756C6CULL;

template <typename T>
uint64_t HashBytes(T value, uint64_t seed) {
  if constexpr (std::is_same_v<T, std::string_view>) return XXH3_64bits_withSeed(value.data(), value.size(), seed);
  if constexpr (std::is_same_v<T, double>)
    value = value == 0 ? 0.0 : value != value ? std::bit_cast<double>(0x7FF8000000000000ULL) : value;
  return XXH3_64bits_withSeed(&value, sizeof(value), seed);
}

Result<ArrayPtr> Hash(const std::vector<ArrayPtr>& args, int64_t rows) {
  std::shared_ptr<arrow::Buffer> buffer = MUTIRAO_TRY(arrow::AllocateBuffer(rows * 8));
  auto* hashes = reinterpret_cast<uint64_t*>(buffer->mutable_data());
  std::fill(hashes, hashes + rows, 0);
  for (const ArrayPtr& arg : args) {
    VisitPhysical(*arg->type(), [&](auto tag) {
      using T = decltype(tag);
      Values<T> values(*arg);
      int64_t step = arg->length() == 1 ? 0 : 1;
      bool nulls = arg->null_count() != 0;
      for (int64_t row = 0; row < rows; ++row) {
        bool null = nulls && arg->IsNull(row * step);
        hashes[row] =
            null ? XXH3_64bits_withSeed(nullptr, 0, hashes[row] ^ kNullSeed) : HashBytes<T>(values[row], hashes[row]);
      }
    });
  }
  return MakeFixedArray(arrow::int64(), rows, std::move(buffer), {});
}

Result<TypePtr> ResolveHash(std::vector<TypePtr>& types) {
  MUTIRAO_TRY(ExpectArguments(types, 1, size_t(-1)));
  for (size_t i = 0; i < types.size(); ++i) {
    if (types[i]->id() == arrow::Type::NA) types[i] = arrow::utf8();
    if (types[i]->id() == arrow::Type::LIST) return WrongArgument(i, "a value that is no list", *types[i]);
  }
  return arrow::int64();
}

}  // namespace

void AddHash(std::vector<FunctionDef>* functions) {
  functions->push_back(
      {.name = "hash",
       .signatures = {"hash(value any, …) → int64"},
       .summary =
           "Give a number that is the same for the same values in every run and on every machine (XXH3); never null.",
       .examples = {{"hash('a') = hash('a')", "true"}, {"hash('a') = hash('b')", "false"}},
       .resolve = ResolveHash,
       .make_kernel = [](const CallSite&) { return Result<Kernel>(Kernel(Hash)); }});
}

}  // namespace mutirao::frame
