#pragma once

#include <cstdint>
#include <cstring>
#include <exception>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

#include <mutirao/version.h>

// Functions of one's own for the expressions of frames. What stands here between module and program is plain C and
// versioned (MUTIRAO_FUNCTION_ABI), so a module of functions needs no library of Mutirão and any compiler will do.

extern "C" {

/// The types that functions take and give.
enum MutiraoType : int32_t { MUTIRAO_BOOL = 1, MUTIRAO_INT64 = 2, MUTIRAO_FLOAT64 = 3, MUTIRAO_TEXT = 4 };

/// What a function takes in one place, or gives.
struct MutiraoParameter {
  int32_t type;
  int32_t nullable;  ///< 1: it sees nulls, or may give one
};

/// The values of one argument for a batch of rows. The value of row r is number r * step; only the values that are not
/// null mean anything.
struct MutiraoArgument {
  const void* values;      ///< int64_t or double; bool: bits, of which `first` is number 0; text: its bytes (UTF-8)
  const int32_t* offsets;  ///< text only: value i is the bytes from offsets[i] to offsets[i + 1]
  const uint8_t* valid;    ///< bits, of which `first` is number 0: 1 where there is a value; null: everywhere
  int64_t first;
  int64_t step;  ///< 1; or 0 where one value stands for all rows
};

/// Where a function puts what it gives.
struct MutiraoResult {
  void* values;      ///< int64_t or double a row; bool: a byte a row
  uint8_t* valid;    ///< a byte a row: 1 where there is a value
  char* text;        ///< text: the bytes of all rows one behind the other, `used` of `capacity`
  int32_t* offsets;  ///< text: offsets[r + 1] is where row r ends
  int64_t used;
  int64_t capacity;
  /// Make room for `more` bytes of text behind `used`. 0 when there is none.
  int32_t (*grow)(struct MutiraoResult* result, int64_t more);
  void* owner;
  int64_t failed_row;  ///< where `call` gave 1
  char error[512];     ///< and why, in UTF-8
};

/// A function of a module.
struct MutiraoFunction {
  const char* name;
  const char* summary;
  const struct MutiraoParameter* parameters;
  int32_t parameter_count;
  struct MutiraoParameter result;
  /// Compute `rows` rows. Gives 0; 1 when a row failed; 2 when there was no room. Called by several threads at once.
  int32_t (*call)(const struct MutiraoArgument* arguments, int64_t rows, struct MutiraoResult* result);
  const struct MutiraoFunction* next;
};

}  // extern "C"

namespace mutirao::internal {

/// The functions of this module or program, the last one first. Hidden: each library has a list of its own.
inline __attribute__((visibility("hidden"))) const MutiraoFunction*& FirstFunction() {
  static const MutiraoFunction* first = nullptr;
  return first;
}

template <typename T>
struct FunctionValue {
  static_assert(!std::is_same_v<T, T>,
                "functions take and give bool, int64_t, double or text (std::string_view; std::string only as the "
                "result), each also in std::optional");
};

inline int64_t BitOf(const MutiraoArgument& argument, int64_t row) {
  return argument.first + row * argument.step;
}
inline bool IsBitSet(const void* bits, int64_t at) {
  return static_cast<const uint8_t*>(bits)[at >> 3] >> (at & 7) & 1;
}

template <>
struct FunctionValue<bool> {
  static constexpr MutiraoType kType = MUTIRAO_BOOL;
  static bool Read(const MutiraoArgument& argument, int64_t row) {
    return IsBitSet(argument.values, BitOf(argument, row));
  }
  static bool Write(MutiraoResult* result, int64_t row, bool value) {
    static_cast<uint8_t*>(result->values)[row] = value;
    return true;
  }
};

template <typename T, MutiraoType type>
struct FunctionNumber {
  static constexpr MutiraoType kType = type;
  static T Read(const MutiraoArgument& argument, int64_t row) {
    return static_cast<const T*>(argument.values)[row * argument.step];
  }
  static bool Write(MutiraoResult* result, int64_t row, T value) {
    static_cast<T*>(result->values)[row] = value;
    return true;
  }
};
template <>
struct FunctionValue<int64_t> : FunctionNumber<int64_t, MUTIRAO_INT64> {};
template <>
struct FunctionValue<double> : FunctionNumber<double, MUTIRAO_FLOAT64> {};

template <>
struct FunctionValue<std::string_view> {
  static constexpr MutiraoType kType = MUTIRAO_TEXT;
  static std::string_view Read(const MutiraoArgument& argument, int64_t row) {
    const int32_t* offset = argument.offsets + row * argument.step;
    return {static_cast<const char*>(argument.values) + offset[0], static_cast<size_t>(offset[1] - offset[0])};
  }
  static bool Write(MutiraoResult* result, int64_t row, std::string_view value) {
    const auto size = static_cast<int64_t>(value.size());
    if (size > result->capacity - result->used && result->grow(result, size) == 0) return false;
    if (size > 0) std::memcpy(result->text + result->used, value.data(), value.size());
    result->used += size;
    result->offsets[row + 1] = static_cast<int32_t>(result->used);
    return true;
  }
};
/// Only as a result: an argument would be copied for every row.
template <>
struct FunctionValue<std::string> : FunctionValue<std::string_view> {};

/// What a parameter or result is without its std::optional.
template <typename T>
struct FunctionPart : FunctionValue<T> {
  static constexpr bool kNullable = false;
  static bool WriteAny(MutiraoResult* result, int64_t row, const T& value) {
    result->valid[row] = 1;
    return FunctionValue<T>::Write(result, row, value);
  }
};
template <typename T>
struct FunctionPart<std::optional<T>> : FunctionValue<T> {
  static constexpr bool kNullable = true;
  static std::optional<T> Read(const MutiraoArgument& argument, int64_t row) {
    const bool is_null = argument.valid != nullptr && !IsBitSet(argument.valid, BitOf(argument, row));
    return is_null ? std::nullopt : std::optional<T>(FunctionValue<T>::Read(argument, row));
  }
  static bool WriteAny(MutiraoResult* result, int64_t row, const std::optional<T>& value) {
    result->valid[row] = value.has_value();
    return value.has_value() ? FunctionValue<T>::Write(result, row, *value) : FunctionValue<T>::Write(result, row, T());
  }
};

/// Whether a null in this row means that the function is not called.
template <typename T>
bool IsMissing(const MutiraoArgument& argument, int64_t row) {
  if constexpr (FunctionPart<T>::kNullable) return false;
  return argument.valid != nullptr && !IsBitSet(argument.valid, BitOf(argument, row));
}

template <typename R>
bool WriteMissing(MutiraoResult* result, int64_t row) {
  result->valid[row] = 0;
  return FunctionValue<R>::Write(result, row, R());
}

/// A function as the program calls it, a batch of rows at a time.
template <auto function, typename Signature = decltype(function)>
struct FunctionBatch;

template <auto function, typename R, typename... A>
struct FunctionBatch<function, R (*)(A...)> {
  static_assert(!(std::is_same_v<std::remove_cvref_t<A>, std::string> || ...), "take text as std::string_view");
  using Result = FunctionPart<std::remove_cvref_t<R>>;

  static constexpr MutiraoParameter kResult = {Result::kType, Result::kNullable};
  static constexpr int32_t kCount = sizeof...(A);
  static constexpr MutiraoParameter kParameters[sizeof...(A) + 1] = {
      {FunctionPart<std::remove_cvref_t<A>>::kType, FunctionPart<std::remove_cvref_t<A>>::kNullable}..., {}};

  static int32_t Call(const MutiraoArgument* arguments, int64_t rows, MutiraoResult* result) noexcept {
    int64_t row = 0;
    const char* why = "an exception that is no std::exception";
    try {
      for (; row < rows; ++row) {
        if (!Row(arguments, row, result, std::index_sequence_for<A...>())) return 2;
      }
      return 0;
    } catch (const std::exception& error) {
      return Fail(result, row, error.what());
    } catch (...) {
      return Fail(result, row, why);
    }
  }

 private:
  template <typename T>
  struct Plain {
    using Type = T;
  };
  template <typename T>
  struct Plain<std::optional<T>> {
    using Type = T;
  };

  template <size_t... at>
  static bool Row([[maybe_unused]] const MutiraoArgument* arguments, int64_t row, MutiraoResult* result,
                  std::index_sequence<at...>) {
    if ((IsMissing<std::remove_cvref_t<A>>(arguments[at], row) || ...)) {
      return WriteMissing<typename Plain<std::remove_cvref_t<R>>::Type>(result, row);
    }
    return Result::WriteAny(result, row, function(FunctionPart<std::remove_cvref_t<A>>::Read(arguments[at], row)...));
  }

  static int32_t Fail(MutiraoResult* result, int64_t row, const char* why) {
    result->failed_row = row;
    std::strncpy(result->error, why, sizeof result->error - 1);
    result->error[sizeof result->error - 1] = 0;
    return 1;
  }
};

template <auto function, typename R, typename... A>
struct FunctionBatch<function, R (*)(A...) noexcept> : FunctionBatch<function, R (*)(A...)> {};

/// A function of a module, registered when the module is loaded.
struct FunctionRegistration {
  template <typename Batch>
  FunctionRegistration(const char* name, const char* summary, Batch)
      : entry{name, summary, Batch::kParameters, Batch::kCount, Batch::kResult, &Batch::Call, FirstFunction()} {
    FirstFunction() = &entry;
  }
  FunctionRegistration(const FunctionRegistration&) = delete;
  FunctionRegistration& operator=(const FunctionRegistration&) = delete;

  const MutiraoFunction entry;
};

}  // namespace mutirao::internal

/// Tells the loader which interface of functions this code was built for, and the functions.
extern "C" __attribute__((weak, used, visibility("default"))) int MutiraoFunctionAbi() {
  return MUTIRAO_FUNCTION_ABI;
}
extern "C" __attribute__((weak, used, visibility("default"))) const MutiraoFunction* MutiraoFunctions() {
  return ::mutirao::internal::FirstFunction();
}

/// Give a function of C++ to expressions, under its own name, with a sentence for `mutirao functions`:
///
///     std::optional<std::string> normal_name(std::string_view name) { … }
///     MUTIRAO_FUNCTION(normal_name, "Write a company's name the way registers do");
///
/// It takes and gives bool, int64_t, double or text. A parameter in std::optional sees nulls; without one a null makes
/// the result null and the function is not called. A result in std::optional may be null.
///
/// The same arguments must give the same result, nothing else may be changed, and any value of its types must be
/// borne: the program computes constants beforehand, moves conditions, and also calls it for rows that are left out
/// later. An exception ends the run with its what(). Threads: called by several at once.
#define MUTIRAO_FUNCTION(function, sentence)                                                      \
  static const ::mutirao::internal::FunctionRegistration kMutiraoFunctionRegistration_##function( \
      #function, sentence, ::mutirao::internal::FunctionBatch<&function>())
