#pragma once

#include <memory>
#include <string>
#include <string_view>

#include <mutirao/status.h>

namespace mutirao::frame {

/// Hold a compiled regular expression: Perl's syntax over UTF-8, as PCRE2 reads it.
///
/// `\d`, `\w` and `\s` mean ASCII, `.` does not match a newline and `$` only the end of the text, as in RE2 and DuckDB.
/// Threads: one Regex may serve any number of RegexSearch objects at once.
class Regex {
 public:
  /// Errors: kInvalid with the place in the pattern.
  static Result<std::shared_ptr<const Regex>> Compile(std::string_view pattern);
  ~Regex();
  Regex(const Regex&) = delete;
  Regex& operator=(const Regex&) = delete;

  const std::string& pattern() const { return pattern_; }
  /// The number of capturing groups.
  int groups() const { return groups_; }

 private:
  friend class RegexSearch;
  Regex() = default;

  std::string pattern_;
  void* code_ = nullptr;
  int groups_ = 0;
};
using RegexPtr = std::shared_ptr<const Regex>;

/// Find matches of a regular expression in one text after another.
///
/// Threads: one thread at a time.
class RegexSearch {
 public:
  explicit RegexSearch(const Regex& regex);
  ~RegexSearch();
  RegexSearch(const RegexSearch&) = delete;
  RegexSearch& operator=(const RegexSearch&) = delete;

  /// Search from byte `start` on. False also when the search was given up; failed() then tells.
  bool Find(std::string_view text, size_t start = 0);

  /// The text that a group of the last match took, 0 the whole match; with a null data() when the group took no part.
  std::string_view group(int index) const;
  /// Where the last match stands in its text, in bytes.
  size_t begin() const;
  size_t end() const;

  /// Whether the last search was given up because it took too many steps.
  bool failed() const { return failed_; }
  /// What to tell people about a search that was given up.
  std::string FailureText() const;

 private:
  const Regex& regex_;
  std::string_view text_;
  void* match_ = nullptr;
  void* context_ = nullptr;
  void* stack_ = nullptr;
  const size_t* ends_ = nullptr;
  int code_ = 0;
  bool failed_ = false;
};

}  // namespace mutirao::frame
