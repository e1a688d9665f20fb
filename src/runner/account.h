#pragma once

#include <string>
#include <vector>

#include "engine/execute.h"
#include "frame/plan/plan.h"

namespace mutirao::runner {

/// A count of rows and what became of them: "filtered", "quarantined", "unmatched".
struct Term {
  std::string name;
  int64_t rows = 0;
};

/// Where the rows of one path of a plan came from and went: read + gains = kept + losses.
struct Account {
  int64_t read = 0;
  /// Rows that were not read but made: several partners in a join, elements of a list.
  std::vector<Term> gains;
  std::vector<Term> losses;
  int64_t kept = 0;

  bool AddsUp() const;
  /// "read 5 = written 3 + filtered 2 + quarantined 0", terms with their thousands marked; `kept_as` names what was
  /// kept. Filtered and quarantined are always there, others only when they are not 0.
  std::string ToString(const std::string& kept_as) const;
  Json ToJson(const std::string& kept_as) const;
};

/// A join on the main path, seen from its other side.
struct JoinAccount {
  std::string description;  ///< "left join of csv Empresas*.zip on cnpj_basico"
  Account right;
  /// -1: not known, as several tasks read the table of the join.
  int64_t right_unmatched = 0;
  int64_t left_unmatched = 0;
};

/// The account of one write: along first inputs (all inputs of a union) from the sink to its scans.
struct WriteAccount {
  Account rows;
  std::vector<JoinAccount> joins;
  int64_t files = 0;
  int64_t bytes = 0;
};

/// Put together what happened to the rows of `write`, one of the executed roots.
/// Errors: kInternal when it does not add up, with the counts.
Result<WriteAccount> AccountFor(const frame::PlanPtr& write, const engine::ExecutionReport& report);

/// 72786123 → "72,786,123".
std::string WithThousands(int64_t number);

}  // namespace mutirao::runner
