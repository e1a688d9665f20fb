#include "base/late_library.h"

#include <dlfcn.h>

#include <cstdio>
#include <cstdlib>

#include <fmt/format.h>

namespace mutirao {

Status LateLibrary::Load() const {
  if (handle_.load(std::memory_order_acquire) != nullptr) return Status::Ok();
  void* handle = dlopen(name_, RTLD_NOW | RTLD_LOCAL);
  if (handle == nullptr) {
    const char* why = dlerror();
    return Status::NotFound(fmt::format("{} cannot be loaded: {}", name_, why != nullptr ? why : "no reason given"))
        .Help(fmt::format("install it: on Debian and Ubuntu, apt install {}", package_));
  }
  // Of two who load it at once both get the same.
  handle_.store(handle, std::memory_order_release);
  return Status::Ok();
}

void* LateLibrary::Find(const char* function) const {
  void* handle = handle_.load(std::memory_order_acquire);
  void* found = handle != nullptr ? dlsym(handle, function) : nullptr;
  if (found == nullptr) {
    std::fprintf(stderr, "mutirao: %s of %s was called before it was loaded, or is not there\n", function, name_);
    std::abort();
  }
  return found;
}

}  // namespace mutirao
