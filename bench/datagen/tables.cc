#include "tables.h"

#include "random.h"
#include "record.h"
#include "vocabulary.h"

namespace mutirao::datagen {
namespace {

constexpr int64_t kCompaniesPerThousand = 785;

/// A permutation of [0, size) made of four Feistel rounds and cycle walking, so that establishments come unsorted.
int64_t Permute(uint64_t seed, int64_t size, int64_t index) {
  int half_bits = 1;
  while ((int64_t{1} << (2 * half_bits)) < size) ++half_bits;
  uint64_t mask = (uint64_t{1} << half_bits) - 1;
  auto value = static_cast<uint64_t>(index);
  do {
    uint64_t left = value >> half_bits, right = value & mask;
    for (uint64_t round = 0; round < 4; ++round) {
      uint64_t next = left ^ (Mix(seed ^ (right << 8) ^ round) & mask);
      left = right;
      right = next;
    }
    value = (left << half_bits) | right;
  } while (value >= static_cast<uint64_t>(size));
  return static_cast<int64_t>(value);
}

void Date(Record& record, Random& random, uint32_t first_year, uint32_t years) {
  uint64_t year = first_year + random.Below(years), month = 1 + random.Below(12), day = 1 + random.Below(28);
  record.Field(year * 10000 + month * 100 + day, 8);
}

/// A number in [0, n) of which the low ones are frequent: the share of those below m is (m / n)^(1 / power).
uint32_t Skewed(Random& random, uint32_t n, int power) {
  double unit = random.Unit(), value = n;
  for (int i = 0; i < power; ++i) value *= unit;
  return static_cast<uint32_t>(value);
}

/// One of 1,332 activity codes. As in the register a few are everywhere: ten make up a sixth, a hundred over half.
uint64_t Activity(Random& random) {
  constexpr uint32_t kActivities = 1332, kFrequent = 250;
  uint32_t activity = random.Chance(900'000) ? Skewed(random, kFrequent, 2) : random.Below(kActivities);
  // Spread over the seven digits, the frequent ones among the others.
  return 111'301 + uint64_t{activity * 811 % kActivities} * 7'127;
}

/// A state and what follows from it: area codes, postcodes and the towns' codes are its own.
struct Place {
  std::string_view state;
  uint32_t number;
};

Place PickPlace(Random& random) {
  std::string_view state = Pick(random, kStates);
  uint32_t number = 0;
  while (kStates[number].text != state) ++number;
  return {state, number};
}

uint64_t Town(Place place, Random& random) {
  constexpr uint32_t kTowns = 200;
  return 1 + (place.number * kTowns + Skewed(random, kTowns, 4)) * 1'789 % 9'998;
}

void Phone(Record& record, Place place, Random& random, uint32_t per_million) {
  if (!random.Chance(per_million)) {
    record.Field();
    record.Field();
    return;
  }
  record.Field(11 + place.number * 3 + Skewed(random, 3, 2), 2);
  record.Field(20000000 + random.Below(79999999), 8);
}

struct Identity {
  int64_t root;
  int64_t order;
};

/// Row n is a company's head office, or a branch of one that popular companies have many of; one in 200 has no company.
Identity Identify(const Recipe& recipe, int64_t row, Random& random) {
  int64_t heads_before = row * kCompaniesPerThousand / 1000, heads_after = (row + 1) * kCompaniesPerThousand / 1000;
  // The free number comes after every fourth company.
  if (random.Chance(5000)) return {CompanyRoot(random.Below(static_cast<uint32_t>(recipe.companies)) | 3) + 1, 1};
  if (heads_after > heads_before && heads_before < recipe.companies)
    return {CompanyRoot(Permute(recipe.seed, recipe.companies, heads_before)), 1};
  double skew = random.Unit();
  auto company = static_cast<int64_t>(skew * skew * static_cast<double>(recipe.companies));
  return {CompanyRoot(company), 2 + random.Below(9998)};
}

void TradeName(Record& record, Random& random) {
  record.Field();
  if (!random.Chance(360'000)) return;
  if (random.Chance(100)) {
    record.DoubledQuote();
    record.Words(random, 1);
    record.DoubledQuote();
    record.Add(" ");
  }
  record.Words(random, 2 + static_cast<int>(random.Below(2)));
  if (random.Chance(10'000)) record.Add(" ");
  if (random.Chance(400)) record.Add("; FILIAL");
}

void SecondaryActivities(Record& record, Random& random) {
  record.Field();
  if (!random.Chance(470'000)) return;
  uint32_t count = 1 + random.Below(random.Chance(100'000) ? 12 : 5);
  for (uint32_t i = 0; i < count; ++i) {
    if (i > 0) record.Add(",");
    record.Digits(Activity(random), 7);
  }
}

void Address(Record& record, Place place, Random& random) {
  record.Field(Pick(random, kStreetKinds));
  record.Field();
  record.Words(random, 2 + static_cast<int>(random.Below(3)));
  record.Field();
  random.Chance(80'000) ? record.Add("S/N") : record.Digits(1 + random.Below(9999), random.Chance(10'000) ? 6 : 4);
  record.Field();
  if (random.Chance(410'000)) {
    record.Add(random.Chance(600'000) ? "SALA " : "BLOCO 01                  APT   ");
    record.Digits(1 + random.Below(999), 3);
  }
  record.Field();
  record.Words(random, 1 + static_cast<int>(random.Below(3)));
  record.Field(1'000'000 + place.number * 3'500'000 + random.Below(3'500'000), 8);
  record.Field(place.state);
  record.Field(Town(place, random), 4);
}

void Email(Record& record, Random& random) {
  record.Field();
  if (!random.Chance(710'000)) return;
  record.Add(Pick(random, kFirstNames));
  record.Add(Pick(random, kSurnames));
  record.Digits(random.Below(1000), 3);
  record.Add("@");
  record.Add(Pick(random, kEmailHosts));
}

bool AppendEstablishment(const Recipe& recipe, int64_t row, Random& random, std::string& out) {
  Record record(out, recipe.utf8);
  Identity id = Identify(recipe, row, random);
  record.Field(static_cast<uint64_t>(id.root), 8);
  record.Field(static_cast<uint64_t>(id.order), 4);
  record.Field(static_cast<uint64_t>(CheckDigits(id.root, id.order)), 2);
  record.Field(id.order == 1 ? "1" : "2");
  TradeName(record, random);
  std::string_view situation = Pick(random, kSituations);
  record.Field(situation);
  random.Chance(2'500) ? record.Field("0") : Date(record, random, 1990, 36);
  record.Field(situation == "02" ? 0 : 1 + random.Below(80), 2);
  record.Field();
  record.Field(random.Chance(30'000) ? "105" : "");
  Date(record, random, 1966, 60);
  record.Field(Activity(random), 7);
  SecondaryActivities(record, random);
  Place place = PickPlace(random);
  Address(record, place, random);
  Phone(record, place, random, 850'000);
  Phone(record, place, random, 80'000);
  Phone(record, place, random, 120'000);
  Email(record, random);
  record.Field();
  record.Field();
  record.End();
  return situation == "02";
}

void AppendCompany(const Recipe& recipe, int64_t row, Random& random, std::string& out) {
  Record record(out, recipe.utf8);
  record.Field(static_cast<uint64_t>(CompanyRoot(row)), 8);
  std::string_view nature = Pick(random, kLegalNatures);
  record.Field();
  if (nature == "2135") {
    record.Add(Pick(random, kFirstNames));
    for (int i = 0; i < 3; ++i) {
      record.Add(" ");
      record.Add(Pick(random, kSurnames));
    }
    if (random.Chance(160'000)) {
      record.Add(" ");
      record.Digits(random.Below(1'000'000'000), 11);
    }
  } else {
    record.Words(random, 3 + static_cast<int>(random.Below(2)));
    record.Add(" LTDA");
  }
  record.Field(nature);
  record.Field(nature == "2135" ? 50 : 49, 2);
  record.Field();
  record.Add(std::to_string(random.Chance(300'000) ? 0 : 1000 * (1 + random.Below(200))));
  record.Add(random.Chance(50'000) ? ",37" : ",00");
  record.Field(Pick(random, kCompanySizes));
  record.Field(nature == "1244" ? "MACEIO - AL" : "");
  record.End();
}

/// Spoil the row that begins at `begin`, in a way that its number decides.
void Spoil(Dirt dirt, size_t begin, std::string& out) {
  constexpr std::string_view kBetween = "\";\"";
  // The last fields of both tables hold free text, so that keys stay whole.
  size_t last = out.rfind(kBetween);
  if (last == std::string::npos || last < begin) return;
  switch (dirt) {
    case Dirt::kNul:
      out.insert(last + kBetween.size(), 1, '\0');
      break;
    case Dirt::kC1Byte:
      out.insert(last + kBetween.size(), "\x81");
      break;
    case Dirt::kQuotedNewline:
      out.insert(last + kBetween.size(), "A\nB");
      break;
    case Dirt::kFieldMissing:
      out.erase(last + 1, out.size() - last - 2);
      break;
    case Dirt::kFieldTooMany:
      out.insert(last, "\";\"X");
      break;
  }
}

}  // namespace

void Tally::Add(const Tally& other) {
  rows += other.rows;
  bytes += other.bytes;
  active += other.active;
  for (int i = 0; i < kDirtKinds; ++i) dirty[static_cast<size_t>(i)] += other.dirty[static_cast<size_t>(i)];
}

Tally AppendRows(const Recipe& recipe, int64_t begin, int64_t end, std::string& out) {
  Tally tally;
  size_t start = out.size();
  for (int64_t row = begin; row < end; ++row) {
    Random random(recipe.seed, static_cast<uint64_t>(recipe.table), static_cast<uint64_t>(row));
    size_t row_start = out.size();
    if (recipe.table == Table::kCompanies) {
      AppendCompany(recipe, row, random, out);
    } else if (AppendEstablishment(recipe, row, random, out)) {
      ++tally.active;
    }
    if (recipe.dirty_per_million > 0 && random.Chance(recipe.dirty_per_million)) {
      uint32_t kind = random.Below(kDirtKinds);
      // In UTF-8 the byte 0x81 would not be a C1 letter but a broken sequence.
      if (recipe.utf8 && kind == static_cast<uint32_t>(Dirt::kC1Byte)) kind = static_cast<uint32_t>(Dirt::kNul);
      Spoil(static_cast<Dirt>(kind), row_start, out);
      ++tally.dirty[kind];
    }
  }
  tally.rows = end - begin;
  tally.bytes = static_cast<int64_t>(out.size() - start);
  return tally;
}

int64_t CompaniesFor(int64_t establishments) {
  return establishments * kCompaniesPerThousand / 1000 + (establishments > 0 ? 1 : 0);
}

double BytesPerRow(Table table) {
  return table == Table::kCompanies ? 74.5 : 246.0;
}

int64_t CompanyRoot(int64_t company) {
  return company + company / 4;
}

int CheckDigits(int64_t root, int64_t order) {
  int digits[14];
  int64_t number = root * 10000 + order;
  for (int i = 11; i >= 0; --i, number /= 10) digits[i] = static_cast<int>(number % 10);
  for (int length = 12; length < 14; ++length) {
    int sum = 0;
    for (int i = 0; i < length; ++i) sum += digits[i] * (2 + (length - 1 - i) % 8);
    digits[length] = sum % 11 < 2 ? 0 : 11 - sum % 11;
  }
  return digits[12] * 10 + digits[13];
}

}  // namespace mutirao::datagen
