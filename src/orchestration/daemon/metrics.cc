#include "orchestration/daemon/metrics.h"

#include <fmt/format.h>

#include "base/thread_pool.h"

namespace mutirao::orchestration {
namespace {

class Text {
 public:
  void Head(const std::string& name, const char* type, const char* help) {
    text_ += fmt::format("# HELP mutirao_{0} {2}\n# TYPE mutirao_{0} {1}\n", name, type, help);
  }
  template <typename T>
  void One(const std::string& name, const char* type, const char* help, T value) {
    Head(name, type, help);
    text_ += fmt::format("mutirao_{} {}\n", name, value);
  }
  void Labelled(const std::string& name, const std::string& state, double value) {
    text_ += fmt::format("mutirao_{}{{state=\"{}\"}} {}\n", name, Escaped(state), value);
  }
  std::string Take() { return std::move(text_); }

 private:
  static std::string Escaped(const std::string& text) {
    std::string escaped;
    for (const char c : text) {
      if (c == '\\' || c == '"') escaped += '\\';
      escaped += c == '\n' ? ' ' : c;
    }
    return escaped;
  }
  std::string text_;
};

// Only what may stand in the name of a metric.
std::string Name(const std::string& text) {
  std::string name;
  for (const char c : text) name += std::isalnum(static_cast<unsigned char>(c)) ? c : '_';
  return name;
}

void AddStatistics(Text& text, const Json& statistics) {
  for (const auto& [key, value] : statistics.items()) {
    const std::string name = "store_" + Name(key);
    if (value.is_number()) text.One(name, "gauge", "Rows in the store.", value.get<double>());
    if (!value.is_object()) continue;
    text.Head(name, "gauge", "Rows in the store, by state.");
    for (const auto& [state, count] : value.items()) {
      if (count.is_number()) text.Labelled(name, state, count.get<double>());
    }
  }
}

}  // namespace

std::string MetricsText(const ServerCounters& counters, const Json& statistics) {
  Text text;
  text.One("up_since_seconds", "gauge", "When the server started.", counters.started);
  text.One("leader", "gauge", "Whether this server decides on schedules.", counters.leads ? 1 : 0);
  text.One("scheduler_looked_seconds", "gauge", "When the schedules were last looked at.",
           counters.scheduler_looked.load());
  text.One("workers", "gauge", "Worker processes that run now.", counters.workers.load());
  text.One("workers_started_total", "counter", "Worker processes started.", counters.workers_started.load());
  text.One("workers_died_total", "counter", "Worker processes that ended without ending their run.",
           counters.workers_died.load());
  text.One("ticks_launched_total", "counter", "Ticks of schedules that launched a run.",
           counters.ticks_launched.load());
  text.One("ticks_skipped_total", "counter", "Ticks of schedules that were passed over.",
           counters.ticks_skipped.load());
  text.One("hooks_sent_total", "counter", "Messages of hooks that left.", counters.hooks_sent.load());
  text.One("hooks_failed_total", "counter", "Tries to send a message of a hook that failed.",
           counters.hooks_failed.load());
  text.One("hooks_given_up_total", "counter", "Messages of hooks that were given up.", counters.hooks_given_up.load());
  text.One("leases_reaped_total", "counter", "Leases of dead owners that were ended.", counters.leases_reaped.load());
  text.One("store_errors_total", "counter", "Calls of the store that failed.", counters.store_errors.load());
  text.One("process_resident_memory_bytes", "gauge", "Memory of the server.", static_cast<double>(ResidentMemory()));
  if (statistics.is_object()) AddStatistics(text, statistics);
  return text.Take();
}

}  // namespace mutirao::orchestration
