#pragma once

#include <atomic>

#include <mutirao/status.h>

namespace mutirao {

/// A shared library that is loaded when it is first needed: the program starts without what most calls never use.
///
/// Threads: any. Ownership: what is loaded stays.
class LateLibrary {
 public:
  /// `name` is the library's soname, `package` what brings it on Debian. Both must outlive it.
  constexpr LateLibrary(const char* name, const char* package) : name_(name), package_(package) {}

  /// Errors: kNotFound when it is not there or cannot be loaded, with the package in help().
  Status Load() const;

  /// REQUIRES: Load() gave Ok, and the library has the function.
  void* Find(const char* function) const;

 private:
  const char* name_;
  const char* package_;
  mutable std::atomic<void*> handle_ = nullptr;
};

/// A function of a LateLibrary, called like the function itself. REQUIRES: the library's Load() gave Ok before.
template <typename Function>
class LateFunction {
 public:
  constexpr LateFunction(const LateLibrary& library, const char* name) : library_(library), name_(name) {}

  template <typename... Arguments>
  decltype(auto) operator()(Arguments... arguments) const {
    return Get()(arguments...);
  }

 private:
  Function* Get() const {
    Function* found = found_.load(std::memory_order_acquire);
    if (found == nullptr) {
      found = reinterpret_cast<Function*>(library_.Find(name_));
      found_.store(found, std::memory_order_release);
    }
    return found;
  }

  const LateLibrary& library_;
  const char* name_;
  mutable std::atomic<Function*> found_ = nullptr;
};

}  // namespace mutirao
