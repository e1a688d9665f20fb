#pragma once

#include "storage/storage.h"

namespace mutirao::storage {

/// The store of plain paths and file: URIs. It lives as long as the process.
const Store* LocalStore();

}  // namespace mutirao::storage
