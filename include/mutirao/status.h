#pragma once

#include <concepts>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

namespace mutirao {

/// What the caller of a failed operation can do about it.
enum class StatusCode : uint8_t {
  kOk = 0,
  kInvalid,        ///< the user's input is wrong: file, config, expression
  kNotFound,       ///< something the user named does not exist
  kAlreadyExists,  ///< the target exists and replacing it was not asked for
  kIo,             ///< disk or network said no
  kUnavailable,    ///< try again later
  kCancelled,      ///< somebody asked to stop
  kDeadline,       ///< it took longer than allowed
  kExhausted,      ///< memory, disk or another limit is used up
  kUnsupported,    ///< correct, but not something this program does
  kFailed,         ///< the work ran and did not succeed: an op's program ended badly, a check did not hold
  kInternal,       ///< our bug
};

/// Name a code as errors print it: "invalid", "not found".
std::string_view StatusCodeName(StatusCode code);

/// Say whether an operation worked and, if not, why.
///
/// Cost: one pointer, null when OK; the text is built only on failure.
class [[nodiscard]] Status {
 public:
  Status() = default;
  Status(StatusCode code, std::string message);

  Status(const Status& other);
  Status& operator=(const Status& other);
  Status(Status&&) noexcept = default;
  Status& operator=(Status&&) noexcept = default;

  static Status Ok() { return {}; }
  static Status Invalid(std::string message) { return {StatusCode::kInvalid, std::move(message)}; }
  static Status NotFound(std::string message) { return {StatusCode::kNotFound, std::move(message)}; }
  static Status AlreadyExists(std::string message) { return {StatusCode::kAlreadyExists, std::move(message)}; }
  static Status Io(std::string message) { return {StatusCode::kIo, std::move(message)}; }
  static Status Unavailable(std::string message) { return {StatusCode::kUnavailable, std::move(message)}; }
  static Status Cancelled(std::string message) { return {StatusCode::kCancelled, std::move(message)}; }
  static Status Deadline(std::string message) { return {StatusCode::kDeadline, std::move(message)}; }
  static Status Exhausted(std::string message) { return {StatusCode::kExhausted, std::move(message)}; }
  static Status Unsupported(std::string message) { return {StatusCode::kUnsupported, std::move(message)}; }
  static Status Failed(std::string message) { return {StatusCode::kFailed, std::move(message)}; }
  static Status Internal(std::string message) { return {StatusCode::kInternal, std::move(message)}; }

  bool ok() const { return state_ == nullptr; }
  StatusCode code() const { return state_ ? state_->code : StatusCode::kOk; }

  /// The innermost message, without context; empty when OK.
  const std::string& message() const;

  /// What to do about it, for a "help:" line; may be empty.
  const std::string& help() const;

  /// Context and message as one line: "reading out/x.parquet: disk is full".
  std::string ToString() const;

  /// Add what was being done, outermost last. A no-op on OK.
  Status&& Context(std::string_view context) &&;
  Status Context(std::string_view context) const&;

  /// Add what the user can do. A no-op on OK.
  Status&& Help(std::string help) &&;

 private:
  struct State {
    StatusCode code;
    std::string message;
    std::string help;
    std::vector<std::string> context;
  };
  std::unique_ptr<State> state_;
};

template <typename T>
class Result;

namespace internal {

// What a Result<T> can be made from, but for a Status or another Result.
template <typename U, typename T>
concept ResultValue = std::constructible_from<T, U&&> && !std::same_as<std::remove_cvref_t<U>, Status> &&
                      !std::same_as<std::remove_cvref_t<U>, Result<T>>;

template <typename T>
concept CarriesStatus = requires(const T& value) {
  { value.status() } -> std::same_as<const Status&>;
};

}  // namespace internal

/// Hold a value or the Status that says why there is none.
template <typename T>
class [[nodiscard]] Result {
 public:
  using ValueType = T;

  Result(Status status) : status_(std::move(status)) {  // NOLINT: implicit so that `return Status::…` works
    if (status_.ok()) status_ = Status::Internal("Result made from an OK status");
  }
  template <internal::ResultValue<T> U>
  Result(U&& value) {  // NOLINT: implicit so that `return value` works
    // A value that carries a failure of its own, as a lazy Frame does, is that failure.
    if constexpr (std::same_as<std::remove_cvref_t<U>, T> && internal::CarriesStatus<T>) {
      if (!value.status().ok()) {
        status_ = value.status();
        return;
      }
    }
    value_.emplace(std::forward<U>(value));
  }

  bool ok() const { return value_.has_value(); }
  const Status& status() const& { return status_; }
  Status&& status() && { return std::move(status_); }

  /// REQUIRES: ok().
  T& value() & { return *value_; }
  const T& value() const& { return *value_; }
  T&& value() && { return std::move(*value_); }
  T& operator*() & { return *value_; }
  const T& operator*() const& { return *value_; }
  T&& operator*() && { return std::move(*value_); }
  T* operator->() { return &*value_; }
  const T* operator->() const { return &*value_; }

  Result Context(std::string_view context) && {
    if (!ok()) status_ = std::move(status_).Context(context);
    return std::move(*this);
  }

 private:
  std::optional<T> value_;
  Status status_;
};

namespace internal {

// MUTIRAO_TRY speaks to Status, Result and, through columnar/arrow_status.h, to Arrow's own pair by these overloads.
inline Status TakeStatus(Status&& status) {
  return std::move(status);
}
inline void TakeValue(Status&&) {}
template <typename T>
Status TakeStatus(Result<T>&& result) {
  return std::move(result).status();
}
template <typename T>
T TakeValue(Result<T>&& result) {
  return std::move(result).value();
}

[[noreturn]] void DieOfFailedCheck(const char* file, int line, const char* what, const std::string& detail);
inline std::string CheckDetail(const Status& status) {
  return status.ToString();
}
template <typename T>
std::string CheckDetail(const Result<T>& result) {
  return result.status().ToString();
}

}  // namespace internal
}  // namespace mutirao

#define MUTIRAO_CONCAT_(a, b) a##b
#define MUTIRAO_CONCAT(a, b) MUTIRAO_CONCAT_(a, b)

/// Give the value of a Result (or nothing, for a Status), or return its failure from this function.
/// Stands alone, after `auto x =`, `x =` or `return`; never inside a braced initialiser or an argument list.
#define MUTIRAO_TRY(...) MUTIRAO_TRY_(MUTIRAO_CONCAT(mutirao_try_, __COUNTER__), __VA_ARGS__)
#define MUTIRAO_TRY_(var, ...)                                             \
  __extension__({                                                          \
    auto var = (__VA_ARGS__);                                              \
    if (!var.ok()) return ::mutirao::internal::TakeStatus(std::move(var)); \
    ::mutirao::internal::TakeValue(std::move(var));                        \
  })

/// Give the value of a Result whose failure would be our bug; ends the process with the reason otherwise.
#define MUTIRAO_MUST(...) MUTIRAO_MUST_(MUTIRAO_CONCAT(mutirao_must_, __COUNTER__), __VA_ARGS__)
#define MUTIRAO_MUST_(var, ...)                                                                                       \
  __extension__({                                                                                                     \
    auto var = (__VA_ARGS__);                                                                                         \
    if (!var.ok())                                                                                                    \
      ::mutirao::internal::DieOfFailedCheck(__FILE__, __LINE__, #__VA_ARGS__, ::mutirao::internal::CheckDetail(var)); \
    ::mutirao::internal::TakeValue(std::move(var));                                                                   \
  })

/// End the process when an invariant of ours is broken. Never for input.
#define MUTIRAO_CHECK(condition) \
  ((condition) ? (void)0 : ::mutirao::internal::DieOfFailedCheck(__FILE__, __LINE__, #condition, ""))

#ifdef NDEBUG
#define MUTIRAO_DCHECK(condition) ((void)0)
#else
#define MUTIRAO_DCHECK(condition) MUTIRAO_CHECK(condition)
#endif
