#include "orchestration/run/make_run_plan.h"

#include <algorithm>
#include <functional>
#include <thread>

#include <fmt/format.h>

#include "base/diagnostic.h"
#include "orchestration/definition/op_graph.h"
#include "orchestration/resource/run_resources.h"

namespace mutirao::orchestration {
namespace {

int CoresOr(const std::optional<ConfigValue>& given) {
  if (given) return given->value.get<int>();
  return static_cast<int>(std::max(1U, std::thread::hardware_concurrency()));
}

Status NoSuchResource(const JobDef& job, const ResourceDef& user, const std::string& name) {
  std::vector<std::string> names;
  for (const ResourceDef& resource : job.resources) names.push_back(resource.name);
  std::string help = DidYouMean(name, names);
  if (help.empty()) help = fmt::format("there are {}", fmt::join(names, ", "));
  return Status::Invalid(fmt::format("resource {} uses \"{}\", which is no resource of this job", user.name, name))
      .Help(std::move(help));
}

Status CheckCycles(const std::vector<RunPlan::Resource>& resources) {
  std::map<std::string, const RunPlan::Resource*> by_name;
  for (const RunPlan::Resource& resource : resources) by_name[resource.name] = &resource;
  std::map<std::string, int> visits;  // 1: open, 2: done
  Status result;
  std::function<void(const std::string&, std::string)> visit = [&](const std::string& name, std::string path) {
    path += (path.empty() ? "" : " needs ") + name;
    if (visits[name] == 1 && result.ok()) {
      result = Status::Invalid(fmt::format("the resources wait for each other: {}", path))
                   .Help("take one of the uses or `requires` away");
    }
    if (visits[name] != 0) return;
    visits[name] = 1;
    for (const std::string& other : by_name[name]->needs) visit(other, path);
    visits[name] = 2;
  };
  for (const RunPlan::Resource& resource : resources) visit(resource.name, "");
  return result;
}

}  // namespace

Result<RunPlan> MakeRunPlan(const LoadedJob& job, const ResourceKinds& kinds, const std::string& run_id,
                            const std::set<std::string>& selected,
                            const std::map<std::string, std::string>& taken_over) {
  RunPlan plan{.run_id = run_id, .selected = selected, .taken_over = taken_over};
  plan.max_parallel_ops = CoresOr(job.launch.max_parallel_ops);
  std::set<std::string> made;
  for (const ResourceDef& def : job.def.resources) {
    if (kinds.Find(def.type) != nullptr) made.insert(def.name);
  }
  auto only_made = [&](std::vector<std::string> names) {
    std::erase_if(names, [&](const std::string& name) { return !made.contains(name); });
    return names;
  };
  for (const ResourceDef& def : job.def.resources) {
    if (!made.contains(def.name)) continue;
    const Json& config = job.launch.resources.at(def.name);
    RunPlan::Resource resource{.name = def.name, .retry = def.retry};
    std::vector<std::string> needs = ResourcesBefore(def, config, kinds);
    for (const std::string& name : needs) {
      if (job.def.FindResource(name) == nullptr) return NoSuchResource(job.def, def, name);
    }
    resource.needs = only_made(std::move(needs));
    resource.leased = kinds.Find(def.type)->leaves_traces(config);
    plan.resources.push_back(std::move(resource));
  }
  MUTIRAO_TRY(CheckCycles(plan.resources));
  for (const OpDef* def : InOrder(job.def)) {
    RunPlan::Op op{.name = def->name, .after = def->after, .resources = only_made(def->resources), .retry = def->retry};
    op.takes_engine = def->body != OpBody::kCommand;
    plan.ops.push_back(std::move(op));
  }
  return plan;
}

std::vector<std::string> ResourcesOf(const RunPlan& plan) {
  std::set<std::string> names;
  std::function<void(const std::string&)> add = [&](const std::string& name) {
    if (!names.insert(name).second) return;
    for (const RunPlan::Resource& resource : plan.resources) {
      if (resource.name != name) continue;
      for (const std::string& other : resource.needs) add(other);
    }
  };
  for (const RunPlan::Op& op : plan.ops) {
    if (!plan.selected.contains(op.name) || plan.taken_over.contains(op.name)) continue;
    for (const std::string& name : op.resources) add(name);
  }
  return {names.begin(), names.end()};
}

}  // namespace mutirao::orchestration
