#include "runner/all_formats.h"

#include "engine/stage.h"
#include "formats/register.h"

namespace mutirao::runner {

const frame::FormatRegistry& AllFormats() {
  static const frame::FormatRegistry registry = [] {
    frame::FormatRegistry made;
    formats::RegisterFormats(made);
    engine::RegisterExchange(made);
    return made;
  }();
  return registry;
}

}  // namespace mutirao::runner
