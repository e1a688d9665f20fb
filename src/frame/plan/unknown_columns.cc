#include "frame/plan/unknown_columns.h"

#include <algorithm>
#include <cctype>

#include <arrow/type.h>

namespace mutirao::frame {
namespace {

bool InName(char c) {
  return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_' || static_cast<unsigned char>(c) >= 0x80;
}

// Call `visit` for each part of a step whose entries name columns that it makes.
template <typename Visit>
void ForEachMaker(const Json& step, const Visit& visit) {
  if (!step.is_object() || step.size() != 1) return;
  const std::string& kind = step.begin().key();
  const Json& value = step.begin().value();
  if (kind == "select" || kind == "derive" || kind == "rename") visit(value);
  if (kind != "aggregate" || !value.is_object()) return;
  for (const char* part : {"by", "with"}) {
    if (value.contains(part)) visit(value[part]);
  }
}

// Call `visit(name, what)` for every entry of a mapping.
template <typename Visit>
void ForEachEntry(const Json& value, const Visit& visit) {
  if (value.is_array()) {
    for (const Json& item : value) ForEachEntry(item, visit);
  }
  if (!value.is_object()) return;
  for (const auto& [name, what] : value.items()) {
    visit(name, what);
    ForEachEntry(what, visit);
  }
}

}  // namespace

void UnknownColumns::AddMadeBy(const Json& step, const arrow::Schema& input) {
  const auto add = [&](const std::string& name) {
    if (!name.empty()) names_.insert(name);
  };
  ForEachMaker(step, [&](const Json& value) {
    ForEachEntry(value, [&](const std::string& name, const Json& what) {
      add(name);
      if (step.contains("rename") && what.is_string()) add(what.get<std::string>());
    });
    for (const Json& name : value.is_array() ? value : Json::array({value})) {
      if (name.is_string() && input.GetFieldIndex(name.get<std::string>()) < 0) add(name.get<std::string>());
    }
  });
}

void UnknownColumns::Follow(const Json& step) {
  if (names_.empty()) return;
  std::set<std::string> made;
  ForEachMaker(step, [&](const Json& value) {
    ForEachEntry(value, [&](const std::string& name, const Json& what) {
      if (what.is_structured() || name.empty()) return;
      if (Mentioned(what.dump())) made.insert(name);
      if (step.contains("rename") && names_.contains(name) && what.is_string()) made.insert(what.get<std::string>());
    });
  });
  made.erase("");
  names_.merge(made);
}

bool UnknownColumns::Concern(const Diagnostic& fault, const Json& step, const std::string& pointer) const {
  if (!fault.pointer.starts_with(pointer)) return false;
  const Json::json_pointer at(fault.pointer.substr(pointer.size()));
  if (!step.contains(at)) return false;
  // The key above belongs to it; in a rename it is the column.
  return Mentioned((at.empty() ? "" : at.back() + " ") + step.at(at).dump());
}

bool UnknownColumns::Mentioned(const std::string& text) const {
  return std::any_of(names_.begin(), names_.end(), [&](const std::string& name) {
    for (size_t at = text.find(name); at != std::string::npos; at = text.find(name, at + 1)) {
      const bool begins = at == 0 || !InName(text[at - 1]);
      const size_t end = at + name.size();
      if (begins && (end == text.size() || !InName(text[end]))) return true;
    }
    return false;
  });
}

}  // namespace mutirao::frame
