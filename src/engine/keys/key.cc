#include "engine/keys/key.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

namespace mutirao::engine {

uint64_t HashLongKey(const Key& key) {
  return XXH3_64bits(LongKeyBytes(key), LongKeyLength(key));
}

}  // namespace mutirao::engine
