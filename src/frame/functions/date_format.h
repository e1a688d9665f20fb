#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include <mutirao/status.h>

#include "frame/functions/calendar.h"

namespace mutirao::frame {

/// A pattern of strptime's kind: %Y %m %d %H %M %S %f %y %b %B %j %p %I and %%; other text stands for itself.
///
/// Reading is strict: numbers have their full width (two digits, four for %Y, one to six for %f), and nothing may be
/// left over. Threads: immutable.
class DateFormat {
 public:
  /// Errors: kInvalid for directives that are not known.
  static Result<DateFormat> Parse(std::string_view pattern);

  /// Read microseconds since 1970. False when the text is not of this form or no such time exists.
  bool Read(std::string_view text, int64_t* micros) const;
  /// The same for whole days; the time of day, if the pattern has one, is dropped.
  bool ReadDate(std::string_view text, int32_t* days) const;
  void Write(const LocalTime& time, std::string* out) const;

 private:
  struct Part {
    char directive;  // 0 for literal text
    std::string text;
  };
  struct Fields;
  bool ReadFields(std::string_view text, Fields* fields) const;

  std::vector<Part> parts_;
  bool compact_date_ = false;  // %Y%m%d
};

}  // namespace mutirao::frame
