#include "base/thread_pool.h"

#include <sched.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <string>

#include <fmt/format.h>

namespace mutirao {
namespace {

// The place of this process in a cgroup hierarchy: "" is the unified one, "memory" that of version 1. Empty: none.
std::string CgroupPath(std::string_view controller) {
  std::ifstream file("/proc/self/cgroup");
  for (std::string line; std::getline(file, line);) {
    const size_t first = line.find(':'), second = line.find(':', first + 1);
    if (second == std::string::npos) continue;
    if (std::string_view(line).substr(first + 1, second - first - 1) == controller) return line.substr(second + 1);
  }
  return {};
}

// Visit the cgroup and its parents: any of them may set the limit that counts.
template <typename Visit>
void ForEachCgroup(std::string_view controller, Visit visit) {
  const std::string path = CgroupPath(controller);
  if (path.empty()) return;
  const std::string root = "/sys/fs/cgroup" + std::string(controller.empty() ? "" : "/") + std::string(controller);
  for (std::string folder = root + path; folder.size() >= root.size(); folder.resize(folder.rfind('/'))) {
    visit(folder);
  }
}

}  // namespace

int AvailableCores() {
  cpu_set_t set;
  CPU_ZERO(&set);
  int cores = sched_getaffinity(0, sizeof(set), &set) == 0 ? CPU_COUNT(&set) : 1;
  ForEachCgroup("", [&](const std::string& folder) {
    std::ifstream file(folder + "/cpu.max");
    std::string quota;
    double period = 0;
    if (file >> quota >> period && quota != "max" && period > 0) {
      cores = std::min(cores, static_cast<int>(std::stod(quota) / period + 0.999));
    }
  });
  return std::max(cores, 1);
}

int64_t AvailableMemory() {
  int64_t memory = static_cast<int64_t>(sysconf(_SC_PHYS_PAGES)) * sysconf(_SC_PAGE_SIZE);
  ForEachCgroup("", [&](const std::string& folder) {
    std::ifstream file(folder + "/memory.max");
    std::string limit;
    if (file >> limit && limit != "max") memory = std::min<int64_t>(memory, std::stoll(limit));
  });
  ForEachCgroup("memory", [&](const std::string& folder) {
    std::ifstream file(folder + "/memory.limit_in_bytes");
    int64_t limit = 0;  // without one a number greater than any machine's
    if (file >> limit && limit > 0) memory = std::min(memory, limit);
  });
  return memory;
}

int64_t ResidentMemory() {
  std::ifstream file("/proc/self/statm");
  int64_t total = 0;
  int64_t resident = 0;
  file >> total >> resident;
  return resident * sysconf(_SC_PAGE_SIZE);
}

Status RunWorkers(int n, std::stop_source& stop, const std::function<Status(int worker)>& body) {
  std::mutex mutex;
  Status first;
  auto run = [&](int worker) {
    Status status;
    try {
      status = body(worker);
    } catch (const std::bad_alloc&) {
      status = Status::Exhausted("out of memory");
    } catch (const std::exception& error) {
      status = Status::Internal(fmt::format("exception in a worker: {}", error.what()));
    }
    if (status.ok()) return;
    std::lock_guard lock(mutex);
    // A cancellation caused by another worker's failure must not hide that failure.
    const bool better =
        first.ok() || (first.code() == StatusCode::kCancelled && status.code() != StatusCode::kCancelled);
    if (better) first = std::move(status);
    stop.request_stop();
  };
  {
    std::vector<std::jthread> threads;
    for (int worker = 1; worker < n; ++worker) threads.emplace_back(run, worker);
    run(0);
  }
  return first;
}

ThreadPool::ThreadPool(int threads) {
  for (int i = 0; i < std::max(threads, 1); ++i) threads_.emplace_back([this] { Loop(); });
}

ThreadPool::~ThreadPool() {
  {
    std::lock_guard lock(mutex_);
    closing_ = true;
  }
  work_.notify_all();
}

void ThreadPool::Submit(std::function<void()> task) {
  {
    std::lock_guard lock(mutex_);
    queue_.push_back(std::move(task));
  }
  work_.notify_one();
}

void ThreadPool::Wait() {
  std::unique_lock lock(mutex_);
  idle_.wait(lock, [this] { return queue_.empty() && running_ == 0; });
}

void ThreadPool::Loop() {
  std::unique_lock lock(mutex_);
  while (true) {
    work_.wait(lock, [this] { return closing_ || !queue_.empty(); });
    if (queue_.empty()) return;
    auto task = std::move(queue_.front());
    queue_.pop_front();
    ++running_;
    lock.unlock();
    task();
    task = nullptr;  // what it holds dies before the task counts as done
    lock.lock();
    --running_;
    if (queue_.empty() && running_ == 0) idle_.notify_all();
  }
}

}  // namespace mutirao
