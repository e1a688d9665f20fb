#pragma once

#include <string>
#include <string_view>

#include <mutirao/status.h>

namespace mutirao::storage {

/// Tell a failed system call as a Status: "writing out/x.parquet: no space left on device".
///
/// ENOENT is kNotFound, EEXIST kAlreadyExists, a full disk or quota kExhausted with the free space in the help, the
/// rest kIo. `error` is an errno value.
Status SystemError(std::string_view doing, const std::string& path, int error);

}  // namespace mutirao::storage
