#pragma once

#include <string>
#include <vector>

#include "formats/csv/csv_spec.h"
#include "formats/csv/input.h"

namespace mutirao::formats::csv {

/// Fill in what a spec leaves to its first file: dialect when `sniff` asks for it, columns from the header or the
/// first record. Warnings about header names go to spec->warnings.
Status LookAtFirstFile(const std::vector<Input>& inputs, CsvSpec* spec);

/// Guess delimiter, quote and header from the beginning of a text; keys that the user gave stay.
void SniffDialect(std::string_view head, bool at_end, CsvSpec* spec);

/// The narrowest type that all texts have: int64, float64, bool, date, timestamp or string. Leading zeros make a
/// number text. Blank lists are string.
TypePtr GuessType(const std::vector<std::string>& texts);

}  // namespace mutirao::formats::csv
