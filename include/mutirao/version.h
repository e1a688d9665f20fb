#pragma once

#define MUTIRAO_VERSION "0.1.0"

/// Raised when a module built against older headers can no longer be loaded.
#define MUTIRAO_MODULE_ABI 2
