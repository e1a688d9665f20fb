#include "base/crash_point.h"

#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <mutex>
#include <set>
#include <string>

namespace mutirao {
namespace {

struct CrashPlan {
  std::string name;
  int passages_left = 0;
  std::string list_file;
  std::mutex mutex;
  std::set<std::string> listed;
  bool active = false;

  CrashPlan() {
    if (const char* at = std::getenv("MUTIRAO_FAIL_AT")) {
      name = at;
      passages_left = 1;
      if (size_t colon = name.rfind(':'); colon != std::string::npos) {
        passages_left = std::atoi(name.c_str() + colon + 1);
        name.resize(colon);
      }
    }
    if (const char* file = std::getenv("MUTIRAO_LIST_FAIL_POINTS")) list_file = file;
    active = !name.empty() || !list_file.empty();
  }
};

CrashPlan& Plan() {
  static CrashPlan plan;
  return plan;
}

}  // namespace

void CrashPoint(const char* name) {
  CrashPlan& plan = Plan();
  if (!plan.active) return;
  std::lock_guard lock(plan.mutex);
  if (!plan.list_file.empty() && plan.listed.insert(name).second) {
    if (std::FILE* file = std::fopen(plan.list_file.c_str(), "a")) {
      std::fprintf(file, "%s\n", name);
      std::fclose(file);
    }
  }
  if (plan.name == name && --plan.passages_left == 0) _exit(137);
}

}  // namespace mutirao
