#include "orchestration/definition/op_graph.h"

#include <algorithm>
#include <functional>
#include <map>

#include <fmt/format.h>

namespace mutirao::orchestration {
namespace {

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
                .pointer = cycle.back()->pointer + "/after",
                .help = "take one of them out of `after`"});
  });
}

std::vector<const OpDef*> InOrder(const JobDef& job) {
  std::vector<const OpDef*> order;
  Walk(job, order, [](const std::vector<const OpDef*>&) {});
  return order;
}

std::set<std::string> Ancestors(const JobDef& job, const std::string& op) {
  std::set<std::string> found;
  std::function<void(const std::string&)> add = [&](const std::string& name) {
    const OpDef* def = job.FindOp(name);
    if (def == nullptr) return;
    for (const std::string& before : def->after) {
      if (found.insert(before).second) add(before);
    }
  };
  add(op);
  return found;
}

std::set<std::string> Descendants(const JobDef& job, const std::string& op) {
  std::set<std::string> found;
  for (const OpDef& other : job.ops) {
    if (Ancestors(job, other.name).contains(op)) found.insert(other.name);
  }
  return found;
}

Result<std::set<std::string>> SelectOps(const JobDef& job, const std::vector<std::string>& selection) {
  std::set<std::string> chosen;
  auto choose = [&](std::string term) -> Status {
    bool before = term.starts_with('+');
    if (before) term.erase(0, 1);
    bool after = term.ends_with('+');
    if (after) term.pop_back();
    if (job.FindOp(term) == nullptr) {
      std::vector<std::string> names = job.OpNames();
      std::string help = DidYouMean(term, names);
      if (help.empty()) help = fmt::format("the ops are {}", fmt::join(names, ", "));
      return Status::Invalid(fmt::format("there is no op \"{}\" in job {}", term, job.name)).Help(std::move(help));
    }
    chosen.insert(term);
    if (before) chosen.merge(Ancestors(job, term));
    if (after) chosen.merge(Descendants(job, term));
    return Status::Ok();
  };
  for (const std::string& list : selection) {
    size_t begin = 0;
    while (begin <= list.size()) {
      size_t end = std::min(list.find(',', begin), list.size());
      MUTIRAO_TRY(choose(list.substr(begin, end - begin)));
      begin = end + 1;
    }
  }
  if (selection.empty()) {
    for (const OpDef& op : job.ops) chosen.insert(op.name);
  }
  return chosen;
}

}  // namespace mutirao::orchestration
