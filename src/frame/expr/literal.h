#pragma once

#include <string>
#include <string_view>

#include "columnar/type.h"

namespace mutirao::frame {

/// Read the text of a typed literal such as date '2026-01-31' or decimal(18,2) '1.50'. In binary literals \xHH is a
/// byte. Errors: kInvalid.
Result<ScalarPtr> LiteralFromText(const TypePtr& type, std::string_view text);

/// Read a number as SQL does: digits alone are int64 (decimal when too large), with a point decimal of just these
/// digits, with an exponent float64. Errors: kInvalid.
Result<ScalarPtr> NumberLiteral(std::string_view text);

/// Write a literal so that the parser reads back the same value of the same type.
std::string LiteralText(const arrow::Scalar& scalar);

/// 'text' with doubled quotes.
std::string QuoteText(std::string_view text);

}  // namespace mutirao::frame
