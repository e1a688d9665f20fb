#include "engine/lowering/task_inputs.h"

#include <algorithm>
#include <iterator>

namespace mutirao::engine {
namespace {

int64_t BytesOf(const frame::Split& split) {
  return std::max<int64_t>(split.bytes, 0);
}

int64_t BytesOf(const TaskInputs& task) {
  int64_t bytes = 0;
  for (const auto& [node, input] : task) {
    for (const frame::Split& split : input.splits) bytes += BytesOf(split);
  }
  return bytes;
}

// Whether two tasks may be one: what they read of stages is the same for both.
bool MayUnite(const TaskInputs& one, const TaskInputs& other) {
  return std::ranges::all_of(one, [&](const auto& entry) {
    const auto& [node, input] = entry;
    if (input.stage < 0) return true;
    const auto found = other.find(node);
    return found != other.end() && found->second.stage == input.stage && found->second.bucket == input.bucket &&
           found->second.task == input.task;
  });
}

// Where of `count` equal shares of `total` the middle of what lies from `begin` on is.
size_t ShareOf(int64_t begin, int64_t bytes, size_t count, int64_t total) {
  const double middle = static_cast<double>(begin) + static_cast<double>(bytes) / 2;
  const auto share =
      static_cast<size_t>(middle / static_cast<double>(std::max<int64_t>(1, total)) * static_cast<double>(count));
  return std::min(share, count - 1);
}

}  // namespace

std::vector<std::vector<frame::Split>> DivideSplits(std::vector<frame::Split> splits, int64_t target_bytes, int slots) {
  int64_t total = 0;
  for (const frame::Split& split : splits) total += BytesOf(split);
  int64_t count = std::max<int64_t>(1, (total + target_bytes - 1) / target_bytes);
  if (count > slots) count = (count + slots - 1) / slots * slots;
  std::vector<std::vector<frame::Split>> tasks;
  int64_t begin = 0;
  size_t last = SIZE_MAX;
  for (frame::Split& split : splits) {
    const int64_t bytes = BytesOf(split);
    const size_t share = ShareOf(begin, bytes, static_cast<size_t>(count), total);
    if (share != last) tasks.emplace_back();
    last = share;
    begin += bytes;
    tasks.back().push_back(std::move(split));
  }
  return tasks;
}

std::vector<TaskInputs> UniteTasks(std::vector<TaskInputs> tasks, size_t count) {
  if (count == 0 || tasks.size() <= count) return tasks;
  const int64_t total = StoredBytes(tasks);
  if (total == 0) return tasks;
  std::vector<TaskInputs> united;
  int64_t begin = 0;
  size_t last = SIZE_MAX;
  for (TaskInputs& task : tasks) {
    const int64_t bytes = BytesOf(task);
    const size_t share = ShareOf(begin, bytes, count, total);
    if (share != last) united.emplace_back();
    last = share;
    begin += bytes;
    for (auto& [node, input] : task) {
      const auto [at, is_new] = united.back().try_emplace(node, std::move(input));
      if (is_new || at->second.stage >= 0) continue;
      std::vector<frame::Split>& splits = at->second.splits;
      splits.insert(splits.end(), std::move_iterator(input.splits.begin()), std::move_iterator(input.splits.end()));
    }
  }
  return united;
}

int64_t StoredBytes(const std::vector<TaskInputs>& tasks) {
  int64_t total = 0;
  for (const TaskInputs& task : tasks) {
    if (!MayUnite(task, tasks.front()) || !MayUnite(tasks.front(), task)) return 0;
    total += BytesOf(task);
  }
  return total;
}

}  // namespace mutirao::engine
