#pragma once

#include <exception>
#include <string>

#include "base/json.h"

namespace mutirao::pipes {

/// An exception of the protocol with nothing behind it.
Json ExceptionJson(const std::string& message, const std::string& name);

/// The same of a C++ exception: its type, its what(), and nested ones as causes.
Json DescribeException(const std::exception_ptr& exception);

}  // namespace mutirao::pipes
