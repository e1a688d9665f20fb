#include "orchestration/config/variables.h"

#include <fmt/format.h>

#include "base/log.h"

namespace mutirao::orchestration {

std::vector<VariableUse> FindVariables(const std::string& text) {
  std::vector<VariableUse> uses;
  for (size_t at = text.find("${"); at != std::string::npos; at = text.find("${", at)) {
    if (at > 0 && text[at - 1] == '$') {
      at += 2;
      continue;
    }
    size_t end = text.find('}', at);
    if (end == std::string::npos) break;
    uses.push_back({text.substr(at + 2, end - at - 2), {static_cast<int>(at), static_cast<int>(end + 1)}});
    at = end + 1;
  }
  return uses;
}

namespace {

// Where a ${ begins that is no $${; npos when there is none.
size_t FindOpen(const std::string& text, size_t from) {
  for (size_t at = text.find("${", from); at != std::string::npos; at = text.find("${", at + 2)) {
    if (at == 0 || text[at - 1] != '$') return at;
  }
  return std::string::npos;
}

// Text between variables as it is meant: $${ stands for ${.
std::string Unescaped(std::string text) {
  for (size_t at = text.find("$${"); at != std::string::npos; at = text.find("$${", at + 2)) text.erase(at, 1);
  return text;
}

}  // namespace

std::string ValueAsText(const Json& value) {
  if (value.is_null()) return {};
  if (value.is_string()) return value.get<std::string>();
  if (!value.is_array()) return value.dump();
  std::string text;
  for (const Json& item : value) {
    if (!text.empty()) text += ',';
    text += ValueAsText(item);
  }
  return text;
}

Result<Json> Variables::Find(const std::string& name) const {
  if (auto found = values_.find(name); found != values_.end()) return found->second;
  for (const std::string& prefix : kept_) {
    if (name.starts_with(prefix)) return Json("${" + name + "}");
  }
  std::vector<std::string> names;
  if (name.starts_with("env.")) {
    std::string variable = name.substr(4);
    if (environment_ != nullptr) {
      if (const std::string* value = environment_->Find(variable)) {
        if (LooksSecret(variable)) Redactor::Global().Add(*value);
        return Json(*value);
      }
      names = environment_->Names();
    }
    std::string help = DidYouMean(variable, names);
    if (help.empty()) help = fmt::format("set it, or write {}=value into .env", variable);
    return Status::Invalid(fmt::format("the environment has no variable \"{}\"", variable)).Help(std::move(help));
  }
  if (name == "run.partition") {
    return Status::Invalid("runs of this build have no partition").Help("use a param instead");
  }
  for (const auto& [known, value] : values_) names.push_back(known);
  std::string help = DidYouMean(name, names);
  if (help.empty()) {
    help = fmt::format("there are {}, and env.NAME; $${{ stands for ${{ itself", fmt::join(names, ", "));
  }
  return Status::Invalid(fmt::format("there is nothing named \"{}\" to put here", name)).Help(std::move(help));
}

std::string Variables::ExpandText(const std::string& text, const std::string& pointer, Diagnostics& errors) const {
  std::string result;
  size_t begin = 0;
  for (const VariableUse& use : FindVariables(text)) {
    result += Unescaped(text.substr(begin, use.span.begin - begin));
    begin = use.span.end;
    Result<Json> value = Find(use.name);
    if (value.ok()) {
      result += ValueAsText(*value);
    } else {
      errors.Add(
          {.message = value.status().message(), .pointer = pointer, .span = use.span, .help = value.status().help()});
    }
  }
  if (size_t open = FindOpen(text, begin); open != std::string::npos) {
    errors.Add({.message = "this ${ is not closed",
                .pointer = pointer,
                .span = {static_cast<int>(open), static_cast<int>(text.size())},
                .help = "write ${name}; $${ stands for ${ itself"});
  }
  return result + Unescaped(text.substr(begin));
}

Json Variables::Expand(const Json& value, const std::string& pointer, Diagnostics& errors) const {
  if (value.is_string()) {
    const std::string& text = value.get_ref<const std::string&>();
    std::vector<VariableUse> uses = FindVariables(text);
    bool alone = uses.size() == 1 && uses[0].span == TextSpan{0, static_cast<int>(text.size())};
    if (alone) {
      if (Result<Json> found = Find(uses[0].name); found.ok()) return *found;
    }
    return ExpandText(text, pointer, errors);
  }
  if (value.is_array()) {
    Json list = Json::array();
    for (size_t i = 0; i < value.size(); ++i) list.push_back(Expand(value[i], PointerJoin(pointer, i), errors));
    return list;
  }
  if (value.is_object()) {
    Json map = Json::object();
    for (const auto& [key, item] : value.items()) map[key] = Expand(item, PointerJoin(pointer, key), errors);
    return map;
  }
  return value;
}

}  // namespace mutirao::orchestration
