#include "runner/account.h"

#include <algorithm>
#include <map>

#include <fmt/format.h>

#include "frame/plan/explain.h"

namespace mutirao::runner {
namespace {

using engine::NodeReport;
using frame::JoinKind;
using frame::NodeKind;
using frame::PlanNode;

void AddTerm(std::vector<Term>& terms, const std::string& name, int64_t rows) {
  if (rows == 0) return;
  for (Term& term : terms) {
    if (term.name == name) {
      term.rows += rows;
      return;
    }
  }
  terms.push_back({name, rows});
}

int64_t Total(const std::vector<Term>& terms) {
  int64_t total = 0;
  for (const Term& term : terms) total += term.rows;
  return total;
}

std::string SourceOf(const PlanNode& node) {
  const PlanNode* at = &node;
  while (at->kind() != NodeKind::kScan && !at->inputs().empty()) at = at->inputs()[0].get();
  return at->kind() == NodeKind::kScan ? static_cast<const frame::ScanNode*>(at)->source->Describe() : "rows";
}

std::string DescribeJoin(const frame::JoinNode& join) {
  std::string text = fmt::format("{} join of {}", frame::JoinKindName(join.spec.kind), SourceOf(*join.right()));
  return join.spec.right_keys.empty() ? text : fmt::format("{} on {}", text, fmt::join(join.spec.right_keys, ", "));
}

class Accountant {
 public:
  Accountant(const engine::ExecutionReport& report, WriteAccount& result) : result_(result) {
    for (const NodeReport& node : report.nodes) nodes_[node.node] = &node;
  }

  // Adds what happened from the scans up to the output of `node`. `may_stop_early`: a node above can have stopped
  // reading before the end.
  Status Add(const PlanNode& node, Account& account, bool may_stop_early, bool main_path) {
    auto found = nodes_.find(&node);
    if (found == nodes_.end()) {
      return Status::Internal(fmt::format("the engine gave no counts for \"{}\"", frame::DescribeNode(node)));
    }
    const NodeReport& counts = *found->second;
    if (node.kind() == NodeKind::kScan) return AddScan(node, counts, account);
    bool stops = may_stop_early || StopsEarly(node, counts);
    int64_t given = 0;
    size_t followed = node.kind() == NodeKind::kUnion ? node.inputs().size() : 1;
    for (size_t i = 0; i < followed; ++i) {
      MUTIRAO_TRY(Add(*node.inputs()[i], account, stops, main_path));
      given += nodes_.at(node.inputs()[i].get())->rows_out;
    }
    if (given != counts.rows_in) {
      if (!stops || given < counts.rows_in) {
        return Status::Internal(
            fmt::format("\"{}\" was given {} rows and took {}", frame::DescribeNode(node), given, counts.rows_in));
      }
      AddTerm(account.losses, "limited", given - counts.rows_in);
    }
    return AddStep(node, counts, account, main_path);
  }

 private:
  // Nodes that can be done without having taken all rows.
  static bool StopsEarly(const PlanNode& node, const NodeReport& counts) {
    if (node.kind() == NodeKind::kLimit) return true;
    return node.kind() == NodeKind::kJoin && counts.rows_right == 0;
  }

  static Status AddScan(const PlanNode& node, const NodeReport& counts, Account& account) {
    account.read += counts.rows_read;
    AddTerm(account.losses, "filtered", counts.rows_filtered);
    AddTerm(account.losses, "quarantined", counts.rows_quarantined);
    AddTerm(account.losses, "limited", counts.rows_skipped);
    int64_t accounted = counts.rows_filtered + counts.rows_quarantined + counts.rows_skipped + counts.rows_out;
    if (counts.rows_read == accounted) return Status::Ok();
    return Status::Internal(
        fmt::format("{} read {} rows but gave account of {}", frame::DescribeNode(node), counts.rows_read, accounted));
  }

  // One node's own effect: what came in and what went out differ by named terms.
  Status AddStep(const PlanNode& node, const NodeReport& counts, Account& account, bool main_path) {
    int64_t lost = counts.rows_in - counts.rows_out;
    switch (node.kind()) {
      case NodeKind::kFilter:
        AddTerm(account.losses, "filtered", lost);
        break;
      case NodeKind::kQuarantine:
        AddTerm(account.losses, "quarantined", lost);
        break;
      case NodeKind::kDistinct:
        AddTerm(account.losses, "duplicates", lost);
        break;
      case NodeKind::kSort:
      case NodeKind::kLimit:
        AddTerm(account.losses, "limited", lost);
        break;
      case NodeKind::kSample:
        AddTerm(account.losses, "unsampled", lost);
        break;
      case NodeKind::kAggregate:
        AddEither(account, "grouped", "added", lost);
        break;
      case NodeKind::kUnnest:
        AddEither(account, "empty", "multiplied", lost);
        break;
      case NodeKind::kJoin:
        return AddJoin(static_cast<const frame::JoinNode&>(node), counts, account, main_path);
      case NodeKind::kWrite:
        return Status::Ok();
      default:
        if (lost != 0) {
          return Status::Internal(fmt::format("\"{}\" took {} rows and gave {}", frame::DescribeNode(node),
                                              counts.rows_in, counts.rows_out));
        }
    }
    return Status::Ok();
  }

  static void AddEither(Account& account, const char* loss, const char* gain, int64_t lost) {
    if (lost > 0) AddTerm(account.losses, loss, lost);
    if (lost < 0) AddTerm(account.gains, gain, -lost);
  }

  Status AddJoin(const frame::JoinNode& join, const NodeReport& counts, Account& account, bool main_path) {
    const JoinKind kind = join.spec.kind;
    int64_t dropped = 0;   // left rows that have no row in the output
    int64_t appended = 0;  // rows of the right side alone
    // Counts of a table that several tasks read are not known (-1): what they would tell apart is told as one.
    if (kind == JoinKind::kInner || kind == JoinKind::kRight) dropped = std::max<int64_t>(0, counts.left_unmatched);
    if (kind == JoinKind::kRight || kind == JoinKind::kFull) appended = std::max<int64_t>(0, counts.right_unmatched);
    if (kind == JoinKind::kSemi) dropped = counts.rows_in - counts.rows_out;
    if (kind == JoinKind::kAnti) {
      AddTerm(account.losses, "matched", counts.rows_in - counts.rows_out);
    } else {
      AddTerm(account.losses, "unmatched", dropped);
      AddTerm(account.gains, "appended", appended);
      AddEither(account, "unmatched", "multiplied", counts.rows_in - dropped + appended - counts.rows_out);
    }
    JoinAccount side{.description = DescribeJoin(join)};
    side.left_unmatched = counts.left_unmatched;
    side.right_unmatched = counts.right_unmatched;
    MUTIRAO_TRY(Add(*join.right(), side.right, false, false));
    side.right.kept = nodes_.at(join.right().get())->rows_out;
    if (!side.right.AddsUp())
      return Status::Internal("the rows of a join do not add up: " + side.right.ToString("joined"));
    if (main_path) result_.joins.push_back(std::move(side));
    return Status::Ok();
  }

  WriteAccount& result_;
  std::map<const PlanNode*, const NodeReport*> nodes_;
};

}  // namespace

bool Account::AddsUp() const {
  return read + Total(gains) == kept + Total(losses);
}

std::string Account::ToString(const std::string& kept_as) const {
  std::string text = fmt::format("read {}", WithThousands(read));
  for (const Term& term : gains) text += fmt::format(" + {} {}", term.name, WithThousands(term.rows));
  text += fmt::format(" = {} {}", kept_as, WithThousands(kept));
  std::vector<Term> terms = {{"filtered", 0}, {"quarantined", 0}};
  for (const Term& term : losses) {
    auto known = std::find_if(terms.begin(), terms.end(), [&](const Term& other) { return other.name == term.name; });
    if (known != terms.end()) {
      known->rows = term.rows;
    } else {
      terms.push_back(term);
    }
  }
  for (const Term& term : terms) text += fmt::format(" + {} {}", term.name, WithThousands(term.rows));
  return text;
}

Json Account::ToJson(const std::string& kept_as) const {
  Json json;
  json["read"] = read;
  json[kept_as] = kept;
  json["filtered"] = 0;
  json["quarantined"] = 0;
  for (const Term& term : losses) json[term.name] = term.rows;
  json["gained"] = Json::object();
  for (const Term& term : gains) json["gained"][term.name] = term.rows;
  return json;
}

Result<WriteAccount> AccountFor(const frame::PlanPtr& write, const engine::ExecutionReport& report) {
  WriteAccount result;
  MUTIRAO_TRY(Accountant(report, result).Add(*write, result.rows, false, true));
  for (const engine::NodeReport& node : report.nodes) {
    if (node.node != write.get()) continue;
    for (const frame::PartInfo& part : node.parts) {
      result.rows.kept += part.rows;
      result.bytes += part.bytes;
    }
    result.files = static_cast<int64_t>(node.parts.size());
  }
  if (!result.rows.AddsUp()) return Status::Internal("the rows do not add up: " + result.rows.ToString("written"));
  return result;
}

std::string WithThousands(int64_t number) {
  std::string digits = std::to_string(number);
  size_t first = number < 0 ? 1 : 0;
  for (size_t at = digits.size(); at > first + 3; at -= 3) digits.insert(at - 3, ",");
  return digits;
}

}  // namespace mutirao::runner
