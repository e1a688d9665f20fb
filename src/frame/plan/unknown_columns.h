#pragma once

#include <set>
#include <string>

#include <arrow/type_fwd.h>

#include "base/diagnostic.h"
#include "base/json.h"

namespace mutirao::frame {

/// The columns of a frame with faults whose types are not known, so that what is said of them may be wrong.
///
/// Knows names only, and forgets none: a column that is made anew later stays unknown. That can keep a fault from being
/// told before others are mended, never tell one that is none.
class UnknownColumns {
 public:
  /// Add what a step that failed was to make of columns of `input`.
  void AddMadeBy(const Json& step, const arrow::Schema& input);

  /// Add what a step makes of columns that are unknown.
  void Follow(const Json& step);

  /// Add those of another frame.
  void Add(const UnknownColumns& other) { names_.insert(other.names_.begin(), other.names_.end()); }

  /// Say whether a fault of a step, which stands at `pointer`, is about one of them.
  bool Concern(const Diagnostic& fault, const Json& step, const std::string& pointer) const;

 private:
  bool Mentioned(const std::string& text) const;

  std::set<std::string> names_;
};

}  // namespace mutirao::frame
