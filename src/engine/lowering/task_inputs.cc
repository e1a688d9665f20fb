#include "engine/lowering/task_inputs.h"

#include <algorithm>

namespace mutirao::engine {
namespace {

int64_t BytesOf(const frame::Split& split) {
  return std::max<int64_t>(split.bytes, 0);
}

// Where tasks end, as bytes from the beginning of the first.
std::vector<int64_t> EndsOfTasks(int64_t total, int64_t target, int64_t slots) {
  int64_t count = std::max({int64_t{1}, (total + target - 1) / target,
                            std::min(slots, total / std::max<int64_t>(1, target / 4))});
  if (count > slots) count = (count + slots - 1) / slots * slots;
  const int64_t last = std::min(count, slots);
  // In quarters of a task.
  std::vector<int64_t> sizes(static_cast<size_t>(count), 4);
  if (slots > 1 && total / count >= target / 2) {
    sizes.resize(static_cast<size_t>(count - last));
    for (const int64_t size : {2, 1, 1}) sizes.insert(sizes.end(), static_cast<size_t>(last), size);
  }
  std::vector<int64_t> ends;
  int64_t quarters = 0;
  for (const int64_t size : sizes) {
    quarters += size;
    ends.push_back(static_cast<int64_t>(static_cast<double>(total) * static_cast<double>(quarters) /
                                        static_cast<double>(4 * count)));
  }
  return ends;
}

}  // namespace

std::vector<std::vector<frame::Split>> DivideSplits(std::vector<frame::Split> splits, int64_t target_bytes, int slots) {
  int64_t total = 0;
  for (const frame::Split& split : splits) total += BytesOf(split);
  const std::vector<int64_t> ends = EndsOfTasks(total, target_bytes, std::max(1, slots));
  std::vector<std::vector<frame::Split>> tasks;
  int64_t begin = 0;
  size_t task = 0;
  size_t last = SIZE_MAX;
  for (frame::Split& split : splits) {
    const int64_t bytes = BytesOf(split);
    while (task + 1 < ends.size() && begin + bytes / 2 >= ends[task]) ++task;
    if (task != last) tasks.emplace_back();
    last = task;
    begin += bytes;
    tasks.back().push_back(std::move(split));
  }
  return tasks;
}

}  // namespace mutirao::engine
