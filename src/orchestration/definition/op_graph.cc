#include "orchestration/definition/op_graph.h"

#include <algorithm>
#include <functional>
#include <map>

#include <fmt/format.h>

namespace mutirao::orchestration {
namespace {

// Where an op says that it comes after another.
std::string PlaceOfEdge(const OpDef& op, const std::string& before) {
  for (const InputDef& input : op.inputs) {
    if (input.op == before) return input.pointer;
  }
  return op.pointer + "/after";
}

enum class Visit { kNew, kOpen, kDone };

// Depth first over `after`; `on_cycle` gets the path of ops that leads back to its first.
void Walk(const JobDef& job, std::vector<const OpDef*>& order,
          const std::function<void(const std::vector<const OpDef*>&)>& on_cycle) {
  std::map<const OpDef*, Visit> visits;
  std::vector<const OpDef*> path;
  std::function<void(const OpDef*)> visit = [&](const OpDef* op) {
    visits[op] = Visit::kOpen;
    path.push_back(op);
    for (const std::string& name : op->after) {
      const OpDef* before = job.FindOp(name);
      if (before == nullptr) continue;
      if (visits[before] == Visit::kNew) visit(before);
      if (visits[before] == Visit::kOpen) on_cycle({std::find(path.begin(), path.end(), before), path.end()});
    }
    path.pop_back();
    visits[op] = Visit::kDone;
    order.push_back(op);
  };
  for (const OpDef& op : job.ops) {
    if (visits[&op] == Visit::kNew) visit(&op);
  }
}

}  // namespace

void CheckCycles(const JobDef& job, Diagnostics& errors) {
  std::vector<const OpDef*> order;
  Walk(job, order, [&](const std::vector<const OpDef*>& cycle) {
    std::string names;
    for (const OpDef* op : cycle) names += op->name + " after ";
    errors.Add({.message = fmt::format("the ops wait for each other: {}{}", names, cycle.front()->name),
                .pointer = PlaceOfEdge(*cycle.back(), cycle.front()->name),
                .help = "take one of them out of `after` or `in`"});
  });
}

std::vector<const OpDef*> InOrder(const JobDef& job) {
  std::vector<const OpDef*> order;
  Walk(job, order, [](const std::vector<const OpDef*>&) {});
  return order;
}

namespace {

// The ops that can be reached over `next`, without the first.
std::set<std::string> Reached(const std::string& first, const std::map<std::string, std::vector<std::string>>& next) {
  std::set<std::string> found;
  std::vector<std::string> open{first};
  while (!open.empty()) {
    const auto steps = next.find(open.back());
    open.pop_back();
    if (steps == next.end()) continue;
    for (const std::string& name : steps->second) {
      if (found.insert(name).second) open.push_back(name);
    }
  }
  return found;
}

}  // namespace

std::set<std::string> Ancestors(const JobDef& job, const std::string& op) {
  std::map<std::string, std::vector<std::string>> before;
  for (const OpDef& one : job.ops) before[one.name] = one.after;
  return Reached(op, before);
}

std::set<std::string> Descendants(const JobDef& job, const std::string& op) {
  std::map<std::string, std::vector<std::string>> behind;
  for (const OpDef& one : job.ops) {
    for (const std::string& name : one.after) behind[name].push_back(one.name);
  }
  return Reached(op, behind);
}

namespace {

Status NoSuchOp(const JobDef& job, const std::string& name) {
  std::vector<std::string> names = job.OpNames();
  std::string help = DidYouMean(name, names);
  if (help.empty()) help = fmt::format("the ops are {}", fmt::join(names, ", "));
  return Status::Invalid(fmt::format("there is no op \"{}\" in job {}", name, job.name)).Help(std::move(help));
}

std::string TagText(const std::string& key, const Json& value) {
  return key + "=" + (value.is_string() ? value.get<std::string>() : value.dump());
}

// The ops that `key` or `key=value` stands for.
Result<std::vector<std::string>> OpsWithTag(const JobDef& job, const std::string& wanted) {
  std::vector<std::string> ops;
  std::set<std::string> tags;
  for (const OpDef& op : job.ops) {
    for (const auto& [key, value] : op.tags.items()) {
      tags.insert(TagText(key, value));
      if (wanted == key || wanted == TagText(key, value)) ops.push_back(op.name);
    }
  }
  if (!ops.empty()) return ops;
  std::string help = DidYouMean(wanted, {tags.begin(), tags.end()});
  if (help.empty()) {
    help = tags.empty() ? "its ops have no tags" : fmt::format("the tags of its ops are {}", fmt::join(tags, ", "));
  }
  return Status::Invalid(fmt::format("no op of job {} has the tag {}", job.name, wanted)).Help(std::move(help));
}

Result<std::vector<std::string>> OpsOf(const JobDef& job, const std::string& name) {
  if (name.starts_with("tag:")) return OpsWithTag(job, name.substr(4));
  if (job.FindOp(name) == nullptr) return NoSuchOp(job, name);
  return std::vector<std::string>{name};
}

// "a, b" is as good as "a,b".
std::string WithoutSpaces(const std::string& text) {
  const size_t begin = std::min(text.find_first_not_of(' '), text.size());
  return text.substr(begin, text.find_last_not_of(' ') + 1 - begin);
}

// Other tools write steps and all of a direction differently.
Status NotInTheGrammar(const std::string& term) {
  const std::string help =
      "`op+` is the op and all ops after it, `+op` the op and all before it; tag:key=value stands for a name; join "
      "several by commas";
  if (term.empty()) return Status::Invalid("a selection of ops names nothing").Help(help);
  return Status::Invalid(fmt::format("\"{}\" does not select ops", term)).Help(help);
}

bool IsOfAnotherGrammar(const std::string& term) {
  const size_t plus = term.find('+', 1);
  return term.empty() || term.find('*') != std::string::npos || (plus != std::string::npos && plus + 1 < term.size()) ||
         term.starts_with("++") || term.ends_with("++") || term == "+";
}

Status Choose(const JobDef& job, std::string term, std::set<std::string>& chosen) {
  if (!term.starts_with("tag:") && !term.starts_with("+tag:") && IsOfAnotherGrammar(term)) return NotInTheGrammar(term);
  const bool before = term.starts_with('+');
  if (before) term.erase(0, 1);
  const bool after = term.ends_with('+');
  if (after) term.pop_back();
  std::vector<std::string> ops = MUTIRAO_TRY(OpsOf(job, term));
  for (const std::string& op : ops) {
    chosen.insert(op);
    if (before) chosen.merge(Ancestors(job, op));
    if (after) chosen.merge(Descendants(job, op));
  }
  return Status::Ok();
}

}  // namespace

Result<std::set<std::string>> SelectOps(const JobDef& job, const std::vector<std::string>& selection) {
  std::set<std::string> chosen;
  for (const std::string& list : selection) {
    size_t begin = 0;
    while (begin <= list.size()) {
      size_t end = std::min(list.find(',', begin), list.size());
      MUTIRAO_TRY(Choose(job, WithoutSpaces(list.substr(begin, end - begin)), chosen));
      begin = end + 1;
    }
  }
  if (selection.empty()) {
    for (const OpDef& op : job.ops) chosen.insert(op.name);
  }
  return chosen;
}

}  // namespace mutirao::orchestration
