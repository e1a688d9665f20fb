// Steps that bring in other frames.
#include <arrow/type.h>
#include <fmt/format.h>

#include "frame/plan/schema_rules.h"
#include "frame/plan/steps.h"

namespace mutirao::frame {
namespace {

using KeyPairs = std::vector<std::pair<std::string, std::string>>;

// Keys of a join, each checked against its side.
class JoinKeys {
 public:
  JoinKeys(const StepScope& scope, const PlanNode& right) : scope_(scope), right_(right) {}

  std::optional<KeyPairs> Read(const Json& on, const std::string& pointer) {
    if (on.is_array() && !on.empty()) {
      for (size_t i = 0; i < on.size(); ++i) ReadOne(on[i], PointerJoin(pointer, i));
    } else {
      ReadOne(on, pointer);
    }
    if (!ok_) return std::nullopt;
    return std::move(pairs_);
  }

 private:
  void ReadOne(const Json& key, const std::string& at) {
    if (key.is_string()) {
      Add(key.get<std::string>(), key.get<std::string>(), at, false);
      return;
    }
    if (!key.is_object() || key.empty()) {
      Fault(at, "expects a column, a list of columns or `{left: right}`");
      return;
    }
    for (const auto& [left, right] : key.items()) {
      std::string inner = PointerJoin(at, left);
      if (right.is_string()) {
        Add(left, right.get<std::string>(), inner, true);
      } else {
        Fault(inner, "expects a column of the other frame");
      }
    }
  }

  void Add(const std::string& left, const std::string& right, const std::string& at, bool left_is_key) {
    ok_ = CheckColumn(scope_, left, at, left_is_key) && ok_;
    if (right_.schema()->GetFieldIndex(right) < 0) {
      Status unknown = UnknownColumn(right, *right_.schema(), scope_.value["with"].get<std::string>());
      scope_.errors.Add({.message = unknown.message(), .pointer = at, .help = unknown.help()});
      ok_ = false;
    }
    pairs_.emplace_back(left, right);
  }

  void Fault(const std::string& at, std::string message) {
    scope_.errors.Add(at, std::move(message));
    ok_ = false;
  }

  const StepScope& scope_;
  const PlanNode& right_;
  KeyPairs pairs_;
  bool ok_ = true;
};

std::optional<std::string> ReadText(const StepScope& scope, const char* key, std::string otherwise) {
  if (!scope.value.contains(key)) return otherwise;
  if (scope.value[key].is_string()) return scope.value[key].get<std::string>();
  scope.errors.Add(PointerJoin(scope.pointer, key), "expects text");
  return std::nullopt;
}

std::optional<JoinKind> ReadKind(const StepScope& scope) {
  auto text = ReadText(scope, "how", "inner");
  if (!text) return std::nullopt;
  auto kind = ParseJoinKind(*text);
  if (kind.ok()) return *kind;
  Report(kind.status(), PointerJoin(scope.pointer, "how"), scope.errors);
  return std::nullopt;
}

}  // namespace

PlanPtr JoinStep(const StepScope& scope) {
  const Json& value = scope.value;
  if (!value.is_object() || !value.contains("with") || !value["with"].is_string()) {
    scope.errors.Add(scope.pointer, "expects a mapping `{with: frame, on: columns, how: inner}`");
    return nullptr;
  }
  bool ok = CheckKnownKeys(value, {"with", "on", "how", "suffix"}, scope.pointer, scope.errors);
  auto kind = ReadKind(scope);
  auto suffix = ReadText(scope, "suffix", "_2");
  PlanPtr right = scope.find_frame(value["with"].get<std::string>(), PointerJoin(scope.pointer, "with"));
  if (!ok || !kind || !suffix || right == nullptr) return nullptr;
  std::optional<KeyPairs> keys = KeyPairs{};
  if (value.contains("on")) {
    if (*kind == JoinKind::kCross) {
      scope.errors.Add(
          {.message = "a cross join has no keys", .pointer = PointerJoin(scope.pointer, "on"), .at_key = true});
      return nullptr;
    }
    keys = JoinKeys(scope, *right).Read(value["on"], PointerJoin(scope.pointer, "on"));
  }
  if (!keys) return nullptr;
  return PlanOrReport(MakeJoin(scope.input, std::move(right), *keys, *kind, *suffix), scope.pointer, scope.errors);
}

PlanPtr UnionStep(const StepScope& scope) {
  auto names = ReadNames(scope, scope.value, scope.pointer);
  if (!names) return nullptr;
  std::vector<PlanPtr> inputs = {scope.input};
  bool ok = true;
  for (const PlacedName& name : *names) {
    inputs.push_back(scope.find_frame(name.name, name.pointer));
    ok = inputs.back() != nullptr && ok;
  }
  if (!ok) return nullptr;
  return PlanOrReport(MakeUnion(std::move(inputs)), scope.pointer, scope.errors);
}

}  // namespace mutirao::frame
