#include "base/oom_watch.h"

#include <charconv>
#include <fstream>
#include <sstream>
#include <vector>

#include <fmt/format.h>

namespace mutirao {
namespace {

std::optional<std::string> ReadFile(const std::string& path) {
  std::ifstream file(path);
  if (!file) return std::nullopt;
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

// The number behind a name at the start of a line: "oom_kill 3".
std::optional<int64_t> NumberAfter(const std::optional<std::string>& text, const std::string& name) {
  if (!text) return std::nullopt;
  std::istringstream lines(*text);
  for (std::string line; std::getline(lines, line);) {
    if (!line.starts_with(name + " ")) continue;
    int64_t number = 0;
    const char* begin = line.data() + name.size() + 1;
    if (std::from_chars(begin, line.data() + line.size(), number).ec == std::errc()) return number;
  }
  return std::nullopt;
}

std::string LimitInWords(const std::optional<std::string>& text) {
  int64_t bytes = 0;
  const bool number = text && std::from_chars(text->data(), text->data() + text->size(), bytes).ec == std::errc();
  // Version 1 writes a number near 2^63 for no limit, version 2 "max".
  if (!number || bytes <= 0 || bytes > int64_t{1} << 60) return "of a cgroup above this one";
  if (bytes % (int64_t{1} << 30) == 0) return fmt::format("{} GiB", bytes >> 30);
  return fmt::format("{} MiB", bytes >> 20);
}

struct Cgroup {
  std::string v1;  ///< the path in the memory hierarchy; empty when there is none
  std::string v2;
};

Cgroup FindCgroup(const std::string& root) {
  Cgroup cgroup;
  std::ifstream file(root + "/proc/self/cgroup");
  for (std::string line; std::getline(file, line);) {
    const size_t first = line.find(':');
    const size_t second = line.find(':', first + 1);
    if (first == std::string::npos || second == std::string::npos) continue;
    const std::string controllers = "," + line.substr(first + 1, second - first - 1) + ",";
    if (controllers == ",,") cgroup.v2 = line.substr(second + 1);
    if (controllers.find(",memory,") != std::string::npos) cgroup.v1 = line.substr(second + 1);
  }
  return cgroup;
}

}  // namespace

OomWatch::Counters OomWatch::Read(const std::string& root) {
  Counters counters;
  counters.machine = NumberAfter(ReadFile(root + "/proc/vmstat"), "oom_kill");
  const Cgroup cgroup = FindCgroup(root);
  // In a container the path may be that of the host, and the own cgroup be mounted at the top.
  std::vector<std::string> paths = {cgroup.v2, ""};
  for (const std::string& path : paths) {
    const std::string folder = root + "/sys/fs/cgroup" + path;
    counters.cgroup = NumberAfter(ReadFile(folder + "/memory.events"), "oom_kill");
    if (!counters.cgroup) continue;
    counters.limit = LimitInWords(ReadFile(folder + "/memory.max"));
    return counters;
  }
  for (const std::string& path : {cgroup.v1, std::string()}) {
    const std::string folder = root + "/sys/fs/cgroup/memory" + path;
    counters.cgroup = NumberAfter(ReadFile(folder + "/memory.oom_control"), "oom_kill");
    if (!counters.cgroup) continue;
    counters.limit = LimitInWords(ReadFile(folder + "/memory.limit_in_bytes"));
    return counters;
  }
  return counters;
}

OomWatch OomWatch::Start(const std::string& root) {
  OomWatch watch;
  watch.root_ = root;
  watch.before_ = Read(root);
  return watch;
}

std::optional<std::string> OomWatch::Killed() const {
  const Counters now = Read(root_);
  // It counts all that were killed in the cgroup, also when the whole machine had no memory left; the machine's count
  // has those of other cgroups in it.
  if (now.cgroup && before_.cgroup) {
    return *now.cgroup > *before_.cgroup ? std::optional("cgroup limit " + now.limit) : std::nullopt;
  }
  if (now.machine && before_.machine && *now.machine > *before_.machine) return "the machine's memory";
  return std::nullopt;
}

}  // namespace mutirao
