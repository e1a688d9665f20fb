#pragma once

namespace mutirao {

/// Make Arrow take its memory from jemalloc where it can, unless the environment says otherwise
/// (ARROW_DEFAULT_MEMORY_POOL): it gives large buffers back that mimalloc, Arrow's own choice, keeps.
///
/// REQUIRES: called before anything of Arrow is used and before there are threads.
void ChooseMemoryPool();

}  // namespace mutirao
