#pragma once

#include "base/json.h"
#include "frame/format_registry.h"

namespace mutirao::frame {

/// Give the JSON Schema (draft 7) of an op's `frames:` mapping: every step, and every read as its format describes it.
///
/// The result is self-contained: it refers to nothing outside and may stand anywhere in a larger schema.
/// Source: the steps of docs/design/plan.md; the builder refuses what this schema refuses.
Json FramesJsonSchema(const FormatRegistry& registry);

}  // namespace mutirao::frame
