#pragma once

#define MUTIRAO_VERSION "0.1.0"

/// Raised when a module built against older headers can no longer be loaded.
#define MUTIRAO_MODULE_ABI 2

/// The same for a module that was built against another interface of functions (mutirao/function.h).
#define MUTIRAO_FUNCTION_ABI 1
