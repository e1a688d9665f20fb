#pragma once

#include <span>
#include <string_view>

#include "random.h"

namespace mutirao::datagen {

/// A text and how often it comes, in parts per 1,000 of the whole list.
struct Weighted {
  std::string_view text;
  int per_mille;
};

/// Words of company names, streets and districts, ASCII upper case.
extern const std::span<const std::string_view> kWords;
/// The same kind of words in ISO-8859-1, each with at least one accented letter, some in mixed case.
extern const std::span<const std::string_view> kAccentedWords;
extern const std::span<const std::string_view> kFirstNames;
extern const std::span<const std::string_view> kSurnames;
extern const std::span<const std::string_view> kEmailHosts;
extern const std::span<const Weighted> kStates;
extern const std::span<const Weighted> kStreetKinds;
/// situacao_cadastral; 02 (active) is 400 per mille.
extern const std::span<const Weighted> kSituations;
extern const std::span<const Weighted> kLegalNatures;
extern const std::span<const Weighted> kCompanySizes;

std::string_view Pick(Random& random, std::span<const std::string_view> list);
std::string_view Pick(Random& random, std::span<const Weighted> list);

}  // namespace mutirao::datagen
