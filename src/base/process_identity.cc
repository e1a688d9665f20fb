#include "base/process_identity.h"

#include <unistd.h>

#include <charconv>
#include <fstream>
#include <iterator>
#include <optional>

#include <fmt/format.h>

namespace mutirao {
namespace {

std::string ReadAll(const std::string& path) {
  std::ifstream file(path);
  return {std::istreambuf_iterator<char>(file), {}};
}

const std::string& HostName() {
  static const std::string name = [] {
    char buffer[256] = {};
    return gethostname(buffer, sizeof buffer - 1) == 0 ? std::string(buffer) : std::string("localhost");
  }();
  return name;
}

const std::string& BootId() {
  static const std::string id = [] {
    std::string text = ReadAll("/proc/sys/kernel/random/boot_id");
    while (!text.empty() && text.back() == '\n') text.pop_back();
    return text;
  }();
  return id;
}

struct Stat {
  char state = 'X';
  uint64_t start_ticks = 0;
};

// Fields 3 and 22 of /proc/PID/stat, counted from behind the command's name, which may hold blanks and brackets.
std::optional<Stat> ReadStat(pid_t pid) {
  std::string text = ReadAll(fmt::format("/proc/{}/stat", pid));
  size_t name_end = text.rfind(')');
  if (name_end == std::string::npos || name_end + 2 >= text.size()) return std::nullopt;
  Stat stat{.state = text[name_end + 2]};
  size_t at = name_end + 2;
  for (int field = 3; field < 22; ++field) {
    at = text.find(' ', at);
    if (at == std::string::npos) return std::nullopt;
    ++at;
  }
  auto [end, error] = std::from_chars(text.data() + at, text.data() + text.size(), stat.start_ticks);
  if (error != std::errc()) return std::nullopt;
  return stat;
}

}  // namespace

Json ProcessIdentity::ToJson() const {
  Json json;
  json["host"] = host;
  json["boot_id"] = boot_id;
  json["pid"] = pid;
  json["start_ticks"] = start_ticks;
  return json;
}

Result<ProcessIdentity> ProcessIdentity::FromJson(const Json& json) {
  ProcessIdentity process;
  bool whole = json.is_object() && json.contains("host") && json["host"].is_string() && json.contains("boot_id") &&
               json["boot_id"].is_string() && json.contains("pid") && json["pid"].is_number_integer() &&
               json.contains("start_ticks") && json["start_ticks"].is_number_integer();
  if (!whole) return Status::Invalid("not the identity of a process: " + json.dump());
  process.host = json["host"].get<std::string>();
  process.boot_id = json["boot_id"].get<std::string>();
  process.pid = json["pid"].get<pid_t>();
  process.start_ticks = json["start_ticks"].get<uint64_t>();
  return process;
}

ProcessIdentity ThisProcess() {
  return MUTIRAO_MUST(IdentifyProcess(getpid()));  // the kernel knows this process while it runs
}

Result<ProcessIdentity> IdentifyProcess(pid_t pid) {
  std::optional<Stat> stat = ReadStat(pid);
  if (!stat) return Status::NotFound(fmt::format("there is no process {}", pid));
  return ProcessIdentity{.host = HostName(), .boot_id = BootId(), .pid = pid, .start_ticks = stat->start_ticks};
}

Liveness LookFor(const ProcessIdentity& process) {
  // Containers of one machine share its boot id and do not see each other's processes.
  if (process.host != HostName()) return Liveness::kElsewhere;
  if (process.boot_id != BootId()) return Liveness::kDead;
  std::optional<Stat> stat = ReadStat(process.pid);
  bool runs = stat && stat->start_ticks == process.start_ticks && stat->state != 'Z' && stat->state != 'X';
  return runs ? Liveness::kAlive : Liveness::kDead;
}

}  // namespace mutirao
