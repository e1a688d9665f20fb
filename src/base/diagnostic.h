#pragma once

#include <string>
#include <string_view>
#include <vector>

#include <mutirao/status.h>

namespace mutirao {

/// A half-open range of bytes inside one text value, such as an expression.
struct TextSpan {
  int begin = 0;
  int end = 0;

  bool operator==(const TextSpan&) const = default;
};

/// One thing that is wrong with a document, and where in it.
///
/// The place is a JSON pointer into the document ("/ops/load/frames/active/steps/0/filter") and, when the fault
/// is in a part of that text, a span in it. Whoever read the document from a file turns this into line and column.
struct Diagnostic {
  std::string message;
  std::string pointer;
  /// Empty (begin == end) when the whole value is meant.
  TextSpan span;
  /// Point at the key of the last part of `pointer` rather than at its value (unknown keys).
  bool at_key = false;
  std::vector<std::string> notes;
  std::string help;
};

/// Collect everything that is wrong, so that a user sees it all at once.
class Diagnostics {
 public:
  void Add(Diagnostic diagnostic) { list_.push_back(std::move(diagnostic)); }
  void Add(std::string pointer, std::string message) {
    Add({.message = std::move(message), .pointer = std::move(pointer)});
  }

  bool empty() const { return list_.empty(); }
  size_t size() const { return list_.size(); }
  const std::vector<Diagnostic>& list() const { return list_; }

  /// OK when empty; otherwise kInvalid with all messages, one a line ("at <pointer>: message; help").
  Status ToStatus() const;

 private:
  std::vector<Diagnostic> list_;
};

/// Find the candidate nearest to `name` by edit distance; empty when none is near enough to be what was meant.
std::string NearestName(std::string_view name, const std::vector<std::string>& candidates);

/// `did you mean "x"?`, or empty.
std::string DidYouMean(std::string_view name, const std::vector<std::string>& candidates);

}  // namespace mutirao
