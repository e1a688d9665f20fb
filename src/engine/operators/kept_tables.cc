#include "engine/operators/kept_tables.h"

#include <algorithm>

namespace mutirao::engine {
namespace {

bool IsOf(std::string_view name, std::string_view stage) {
  return name.size() > stage.size() && name.starts_with(stage) && name[stage.size()] == '/';
}

}  // namespace

void KeptTables::BeginTask(std::string_view stage, int64_t memory) {
  const std::lock_guard lock(mutex_);
  int64_t others = 0;
  for (const Named& kept : tables_) others += IsOf(kept.name, stage) ? 0 : kept.table.bytes;
  std::erase_if(tables_, [&](const Named& kept) {
    if (IsOf(kept.name, stage) || others <= memory / 8) return false;
    others -= kept.table.bytes;
    return true;
  });
}

KeptTables::Table KeptTables::Find(std::string_view name) const {
  const std::lock_guard lock(mutex_);
  const auto found = std::ranges::find(tables_, name, &Named::name);
  return found == tables_.end() ? Table() : found->table;
}

void KeptTables::Keep(std::string name, Table table) {
  const std::lock_guard lock(mutex_);
  if (std::ranges::find(tables_, name, &Named::name) != tables_.end()) return;
  tables_.push_back({std::move(name), std::move(table)});
}

void KeptTables::LetGo() {
  const std::lock_guard lock(mutex_);
  tables_.clear();
}

}  // namespace mutirao::engine
