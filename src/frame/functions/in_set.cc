#include <bit>
#include <cstring>
#include <string>
#include <vector>

#include <arrow/api.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

#include "columnar/arrow_status.h"
#include "frame/expr/operators.h"
#include "frame/functions/ordering.h"
#include "frame/functions/physical.h"
#include "frame/functions/values.h"

namespace mutirao::frame {
namespace {

uint64_t Mix(uint64_t bits) {
  bits ^= bits >> 32;
  bits *= 0x9E3779B97F4A7C15ULL;
  return bits ^ (bits >> 29);
}

template <typename T>
uint64_t HashOf(const T& value) {
  if constexpr (std::is_same_v<T, std::string_view>) {
    return XXH3_64bits(value.data(), value.size());
  } else if constexpr (std::is_same_v<T, double>) {
    // Zeros are equal, and so are all NaN.
    return Mix(value != value ? 1 : std::bit_cast<uint64_t>(value == 0 ? 0.0 : value));
  } else if constexpr (std::is_same_v<T, Int128>) {
    return Mix(static_cast<uint64_t>(value) ^ static_cast<uint64_t>(value >> 64) * 31);
  } else {
    return Mix(static_cast<uint64_t>(value));
  }
}

// What a set keeps: values themselves, but texts by their own copy.
template <typename T>
struct Kept {
  using Type = T;
};
template <>
struct Kept<std::string_view> {
  using Type = std::string;
};

// A fixed set with linear probing; at most half full.
template <typename T>
class ValueSet {
 public:
  explicit ValueSet(const std::vector<typename Kept<T>::Type>& values)
      : slots_(std::bit_ceil(values.size() * 2 + 2)), used_(slots_.size()) {
    for (const auto& value : values) Insert(value);
  }
  bool Contains(const T& value) const {
    for (size_t at = HashOf<T>(value) & (slots_.size() - 1); used_[at]; at = (at + 1) & (slots_.size() - 1)) {
      if (AreEqual<T>(slots_[at], value)) return true;
    }
    return false;
  }

 private:
  void Insert(const typename Kept<T>::Type& value) {
    size_t at = HashOf<T>(value) & (slots_.size() - 1);
    while (used_[at] && !AreEqual<T>(slots_[at], value)) at = (at + 1) & (slots_.size() - 1);
    slots_[at] = value;
    used_[at] = 1;
  }

  std::vector<typename Kept<T>::Type> slots_;
  std::vector<uint8_t> used_;
};

// Texts of at most seven bytes as one word: the length on top, so that no two are equal.
class ShortTextSet {
 public:
  static uint64_t Pack(std::string_view text) {
    uint64_t word = static_cast<uint64_t>(text.size()) << 56;
    for (size_t i = 0; i < text.size(); ++i)
      word |= static_cast<uint64_t>(static_cast<unsigned char>(text[i])) << (8 * i);
    return word;
  }
  explicit ShortTextSet(const std::vector<std::string>& texts) : set_(Packed(texts)) {}
  bool Contains(std::string_view text) const {
    return text.size() <= 7 && set_.Contains(static_cast<int64_t>(Pack(text)));
  }

 private:
  static std::vector<int64_t> Packed(const std::vector<std::string>& texts) {
    std::vector<int64_t> words;
    for (const std::string& text : texts) words.push_back(static_cast<int64_t>(Pack(text)));
    return words;
  }
  ValueSet<int64_t> set_;
};

// value in set; where it is not and the items had a null, the answer is null.
template <typename Set, typename T>
Kernel MakeKernel(Set set, bool null_item) {
  return [set = std::move(set), null_item](const std::vector<ArrayPtr>& args, int64_t rows) -> Result<ArrayPtr> {
    auto nulls = MUTIRAO_TRY(CombineNulls({args[0]}, rows));
    Values<T> values(*args[0]);
    auto found = MUTIRAO_TRY(MapBits(rows, nulls, [&](int64_t row) { return set.Contains(values[row]); }));
    if (!null_item) return found;
    auto valid = MUTIRAO_TRY(MakeBitmap(rows, false));
    const auto& bits = static_cast<const arrow::BooleanArray&>(*found);
    for (int64_t row = 0; row < rows; ++row) {
      if (!nulls.is_null(row) && bits.Value(row)) arrow::bit_util::SetBit(valid->mutable_data(), row);
    }
    return MakeFixedArray(arrow::boolean(), rows, found->data()->buffers[1], NullsOf(std::move(valid), rows));
  };
}

template <typename T>
Result<Kernel> MakeFor(const CallSite& site) {
  std::vector<typename Kept<T>::Type> items;
  bool null_item = false;
  bool all_short = true;
  for (size_t i = 1; i < site.constants.size(); ++i) {
    if (!site.constants[i]->is_valid) {
      null_item = true;
      continue;
    }
    auto one = MUTIRAO_TRY(arrow::MakeArrayFromScalar(*site.constants[i], 1));
    auto value = Values<T>(*one)[0];
    if constexpr (std::is_same_v<T, std::string_view>) all_short &= value.size() <= 7;
    items.emplace_back(value);
  }
  if constexpr (std::is_same_v<T, std::string_view>) {
    if (all_short) return MakeKernel<ShortTextSet, T>(ShortTextSet(items), null_item);
  }
  return MakeKernel<ValueSet<T>, T>(ValueSet<T>(items), null_item);
}

}  // namespace

Kernel MakeListContains(const CallSite& site) {
  // Arguments: value, list.
  const TypePtr& item = static_cast<const arrow::ListType&>(*site.arg_types[1]).value_type();
  return VisitPhysical(*item, [](auto tag) -> Kernel {
    using T = decltype(tag);
    return [](const std::vector<ArrayPtr>& args, int64_t rows) -> Result<ArrayPtr> {
      auto nulls = MUTIRAO_TRY(CombineNulls(args, rows));
      const auto& list = static_cast<const arrow::ListArray&>(*args[1]);
      const arrow::Array& items = *list.values();
      Values<T> values(*args[0]);
      if (items.length() == 0) return MapBits(rows, std::move(nulls), [](int64_t) { return false; });
      Values<T> elements(items);
      bool one_list = list.length() == 1;
      auto null_rows = nulls;
      return MapBits(rows, std::move(nulls), [&](int64_t row) {
        if (null_rows.is_null(row)) return false;
        int64_t at = one_list ? 0 : row;
        T wanted = values[row];
        for (int64_t i = list.value_offset(at); i < list.value_offset(at + 1); ++i) {
          if (AreEqual<T>(elements[i], wanted) && items.IsValid(i)) return true;
        }
        return false;
      });
    };
  });
}

Result<Kernel> MakeIn(const CallSite& site) {
  if (site.arg_types.size() == 2 && site.arg_types[1]->id() == arrow::Type::LIST) return MakeListContains(site);
  return VisitPhysical(*site.arg_types[0], [&](auto tag) { return MakeFor<decltype(tag)>(site); });
}

}  // namespace mutirao::frame
