#include "engine/keys/key.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

namespace mutirao::engine {

uint64_t HashKey(const Key& key) {
  if (IsLong(key)) return XXH3_64bits(LongKeyBytes(key), LongKeyLength(key));
  return MixHash(MixHash(key.a, key.b), key.b + 0xE7037ED1A0B428DBULL);
}

}  // namespace mutirao::engine
