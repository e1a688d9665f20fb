#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

namespace mutirao::datagen {

/// Goes up when the same recipe gives other bytes than before.
inline constexpr int kGeneratorVersion = 2;

/// The two big tables of the register.
enum class Table { kCompanies, kEstablishments };

/// The ways in which a row can be spoilt on demand. The first three leave it readable, the last two do not.
enum class Dirt { kNul, kC1Byte, kQuotedNewline, kFieldMissing, kFieldTooMany };
inline constexpr int kDirtKinds = 5;
inline constexpr std::array<std::string_view, kDirtKinds> kDirtNames = {"nul", "c1_byte", "quoted_newline",
                                                                        "field_missing", "field_too_many"};

/// What the rows of a table depend on, and nothing else.
struct Recipe {
  Table table = Table::kEstablishments;
  uint64_t seed = 1;
  int64_t rows = 0;
  /// Rows of the companies table that establishments belong to.
  int64_t companies = 0;
  bool utf8 = false;
  /// Rows in a million that are spoilt.
  uint32_t dirty_per_million = 0;
};

/// What was made; sums over blocks are sums over the table.
struct Tally {
  int64_t rows = 0;
  int64_t bytes = 0;
  int64_t active = 0;  ///< rows with situacao_cadastral 02, spoilt ones among them
  std::array<int64_t, kDirtKinds> dirty = {};

  void Add(const Tally& other);
};

/// Append the rows [begin, end) of the table, in the format of the register's files.
/// Threads: any; the bytes depend only on the recipe and the row numbers.
Tally AppendRows(const Recipe& recipe, int64_t begin, int64_t end, std::string& out);

/// Companies that belong to so many establishments, as in the register (0.785 a row).
int64_t CompaniesFor(int64_t establishments);

/// Mean bytes of a row, for turning a size into rows.
double BytesPerRow(Table table);

/// The root (cnpj_basico) of the n-th company, ascending in n; one number in five is left free.
int64_t CompanyRoot(int64_t company);

/// The two check digits of a 12-digit CNPJ as a number 0 … 99 (Receita Federal, modulo 11).
int CheckDigits(int64_t root, int64_t order);

}  // namespace mutirao::datagen
