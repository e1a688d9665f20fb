#pragma once

#include <string>
#include <string_view>

#include "base/json.h"

namespace mutirao::orchestration {

/// The type of a job's parameter, and how its values are read.
///
/// Values are JSON: bool, number and text; decimal, date and timestamp are text in the form their type writes
/// ("1.50", "2026-01-31", "2026-01-31 10:00:00"), lists are arrays of those.
class ParamType {
 public:
  enum class Kind { kString, kBool, kInteger, kFloat, kDecimal, kDate, kTimestamp };

  /// Parse a type name: string bool int8…int64 float64 decimal(p,s) date timestamp, or list<one of these>.
  /// Errors: kInvalid with a did-you-mean in help().
  static Result<ParamType> Parse(std::string_view text);

  const std::string& name() const { return name_; }
  Kind kind() const { return kind_; }
  bool is_list() const { return is_list_; }
  /// The name of the type, or of a list's items.
  const std::string& item_name() const { return item_name_; }

  /// Check a value from a YAML file and give its canonical form. Errors: kInvalid: "expects …, not …".
  Result<Json> Convert(const Json& value) const;

  /// Read a value from a command line or the environment; a list is "SP,RJ" or YAML's "[SP, RJ]", empty text no item.
  Result<Json> ConvertText(const std::string& text) const;

  /// A JSON Schema for values, for forms and editors.
  Json ToJsonSchema() const;

 private:
  Result<Json> ConvertItem(const Json& value) const;
  Result<Json> ConvertItemText(const std::string& text) const;
  Result<Json> CheckInteger(int64_t value) const;
  Result<Json> CheckDecimal(const std::string& text) const;

  Kind kind_ = Kind::kString;
  bool is_list_ = false;
  int bits_ = 64;
  int precision_ = 0;
  int scale_ = 0;
  std::string name_;
  std::string item_name_;
};

}  // namespace mutirao::orchestration
