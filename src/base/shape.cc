#include "base/shape.h"

#include <optional>
#include <regex>

#include <fmt/format.h>

#include "base/utf8.h"

namespace mutirao {
namespace {

bool HasType(const Json& value, const std::string& type) {
  if (type == "object") return value.is_object();
  if (type == "array") return value.is_array();
  if (type == "string") return value.is_string();
  if (type == "integer") return value.is_number_integer();
  if (type == "number") return value.is_number();
  if (type == "boolean") return value.is_boolean();
  if (type == "null") return value.is_null();
  return false;
}

std::string TypeInWords(const std::string& type) {
  if (type == "object") return "a mapping";
  if (type == "array") return "a list";
  if (type == "string") return "text";
  if (type == "integer") return "a whole number";
  if (type == "number") return "a number";
  if (type == "boolean") return "true or false";
  return "nothing";
}

// A text that something else stands for.
bool IsVariable(const Json& value) {
  return value.is_string() && value.get_ref<const std::string&>().find("${") != std::string::npos;
}

std::string JoinWithOr(const std::vector<std::string>& words) {
  std::string text;
  for (size_t i = 0; i < words.size(); ++i) {
    if (i > 0) text += i + 1 == words.size() ? " or " : ", ";
    text += words[i];
  }
  return text;
}

std::string LastPart(const std::string& pointer) {
  std::string part = pointer.substr(pointer.rfind('/') + 1);
  bool index = !part.empty() && part.find_first_not_of("0123456789") == std::string::npos;
  if (pointer.empty()) return "the file";
  return index ? fmt::format("item {}", std::stoull(part) + 1) : fmt::format("\"{}\"", part);
}

class Checker {
 public:
  Checker(const Json& root, Diagnostics& errors) : root_(root), errors_(errors) {}

  void Check(const Json& value, const Json& schema, const std::string& pointer) {
    if (schema.contains("$ref")) return Check(value, Resolve(schema), pointer);
    if (schema.value("x-opaque", false)) return;
    if (schema.value("x-variables", false) && IsVariable(value)) return;
    if (schema.contains("anyOf")) return CheckAnyOf(value, schema, pointer);
    if (!FitsType(value, schema)) {
      AddMisfit(value, ExpectedInWords(schema), pointer);
      return;
    }
    CheckEnum(value, schema, pointer);
    CheckNumber(value, schema, pointer);
    if (value.is_string()) CheckText(value.get_ref<const std::string&>(), schema, pointer);
    if (value.is_object()) CheckObject(value, schema, pointer);
    if (value.is_array()) CheckArray(value, schema, pointer);
  }

 private:
  const Json& Resolve(const Json& schema) const {
    const std::string& ref = schema["$ref"].get_ref<const std::string&>();
    return root_.at(Json::json_pointer(ref.substr(1)));
  }

  std::vector<std::string> TypesOf(const Json& schema) const {
    if (schema.contains("$ref")) return TypesOf(Resolve(schema));
    std::vector<std::string> types;
    if (schema.contains("anyOf")) {
      for (const Json& branch : schema["anyOf"]) {
        for (std::string& type : TypesOf(branch)) types.push_back(std::move(type));
      }
    } else if (schema.contains("type")) {
      if (schema["type"].is_string()) return {schema["type"].get<std::string>()};
      for (const Json& type : schema["type"]) types.push_back(type.get<std::string>());
    }
    return types;
  }

  bool FitsType(const Json& value, const Json& schema) const {
    std::vector<std::string> types = TypesOf(schema);
    if (types.empty()) return true;
    for (const std::string& type : types) {
      if (HasType(value, type)) return true;
    }
    return false;
  }

  std::string ExpectedInWords(const Json& schema) const {
    if (schema.contains("x-expects")) return schema["x-expects"].get<std::string>();
    if (schema.contains("$ref")) return ExpectedInWords(Resolve(schema));
    std::vector<std::string> words;
    for (const std::string& type : TypesOf(schema)) {
      std::string word = TypeInWords(type);
      if (std::find(words.begin(), words.end(), word) == words.end()) words.push_back(std::move(word));
    }
    return JoinWithOr(words);
  }

  void AddMisfit(const Json& value, const std::string& expected, const std::string& pointer) {
    if (pointer.empty() && value.is_null())
      return errors_.Add("", fmt::format("the file is empty, it must be {}", expected));
    errors_.Add(pointer, fmt::format("{} must be {}, not {}", LastPart(pointer), expected, DescribeJsonType(value)));
  }

  // Of several forms the one that fits best is taken to be what was meant, and its faults are told.
  void CheckAnyOf(const Json& value, const Json& schema, const std::string& pointer) {
    std::optional<Diagnostics> best;
    for (const Json& branch : schema["anyOf"]) {
      if (!FitsType(value, branch)) continue;
      Diagnostics faults;
      Checker(root_, faults).Check(value, branch, pointer);
      if (faults.empty()) return;
      if (!best || faults.size() < best->size()) best = std::move(faults);
    }
    if (!best) return AddMisfit(value, ExpectedInWords(schema), pointer);
    for (const Diagnostic& fault : best->list()) errors_.Add(fault);
  }

  void CheckEnum(const Json& value, const Json& schema, const std::string& pointer) {
    if (!schema.contains("enum")) return;
    std::vector<std::string> names;
    for (const Json& allowed : schema["enum"]) {
      if (allowed == value) return;
      names.push_back(allowed.is_string() ? allowed.get<std::string>() : allowed.dump());
    }
    std::string given = value.is_string() ? value.get<std::string>() : value.dump();
    std::string help = DidYouMean(given, names);
    errors_.Add({.message = fmt::format("{} must be {}, not \"{}\"", LastPart(pointer), JoinWithOr(names), given),
                 .pointer = pointer,
                 .help = std::move(help)});
  }

  void CheckNumber(const Json& value, const Json& schema, const std::string& pointer) {
    if (!value.is_number()) return;
    double number = value.get<double>();
    auto add = [&](const char* relation, const char* key) {
      errors_.Add(pointer, fmt::format("{} must be {} {}", LastPart(pointer), relation, schema[key].dump()));
    };
    if (schema.contains("minimum") && number < schema["minimum"].get<double>()) add("at least", "minimum");
    if (schema.contains("maximum") && number > schema["maximum"].get<double>()) add("at most", "maximum");
    if (schema.contains("exclusiveMinimum") && number <= schema["exclusiveMinimum"].get<double>()) {
      add("more than", "exclusiveMinimum");
    }
  }

  // std::regex needs stack for each character, so only the beginning of a long text is looked at; what our patterns
  // fit as a whole is never long.
  static bool Matches(const std::string& text, const std::string& pattern) {
    constexpr size_t kMost = 1000;
    if (text.size() > kMost && pattern.ends_with('$')) return false;
    return std::regex_search(text.substr(0, kMost), std::regex(pattern));
  }

  void CheckText(const std::string& text, const Json& schema, const std::string& pointer) {
    bool too_short = text.size() < schema.value("minLength", size_t{0});
    bool matches = !schema.contains("pattern") || Matches(text, schema["pattern"].get<std::string>());
    if (!too_short && matches) return;
    std::string expected = schema.contains("x-expects") ? schema["x-expects"].get<std::string>()
                           : too_short                  ? "text that is not empty"
                                       : fmt::format("text like {}", schema["pattern"].get<std::string>());
    errors_.Add(pointer, fmt::format("{} must be {}, not \"{}\"", LastPart(pointer), expected, Shortened(text)));
  }

  static std::string Shortened(const std::string& text) {
    constexpr size_t kMost = 200;
    if (text.size() <= kMost) return text;
    size_t end = kMost;
    while (end > 0 && IsContinuationByte(text[end])) --end;
    return text.substr(0, end) + "…";
  }

  void CheckObject(const Json& value, const Json& schema, const std::string& pointer) {
    const Json none = Json::object();
    const Json& properties = schema.contains("properties") ? schema["properties"] : none;
    std::string title = schema.value("title", std::string("this mapping"));
    for (const auto& [key, item] : value.items()) {
      std::string below = PointerJoin(pointer, key);
      if (properties.contains(key)) {
        Check(item, properties[key], below);
      } else if (schema.contains("additionalProperties")) {
        const Json& others = schema["additionalProperties"];
        if (others.is_object()) Check(item, others, below);
        if (others.is_boolean() && !others.get<bool>()) AddUnknownKey(key, properties, title, below);
      }
    }
    if (!schema.contains("required")) return;
    for (const Json& name : schema["required"]) {
      const std::string& key = name.get_ref<const std::string&>();
      if (!value.contains(key)) errors_.Add(pointer, fmt::format("\"{}\" is missing in {}", key, title));
    }
  }

  void AddUnknownKey(const std::string& key, const Json& properties, const std::string& title,
                     const std::string& pointer) {
    std::vector<std::string> names;
    for (const auto& [name, schema] : properties.items()) names.push_back(name);
    std::string help = DidYouMean(key, names);
    if (help.empty()) help = fmt::format("the keys here are {}", fmt::join(names, ", "));
    errors_.Add({.message = fmt::format("unknown key \"{}\" in {}", key, title),
                 .pointer = pointer,
                 .at_key = true,
                 .help = std::move(help)});
  }

  void CheckArray(const Json& value, const Json& schema, const std::string& pointer) {
    if (value.size() < schema.value("minItems", size_t{0})) {
      errors_.Add(pointer, fmt::format("{} must not be empty", LastPart(pointer)));
    }
    if (!schema.contains("items")) return;
    for (size_t i = 0; i < value.size(); ++i) Check(value[i], schema["items"], PointerJoin(pointer, i));
  }

  const Json& root_;
  Diagnostics& errors_;
};

}  // namespace

void CheckShape(const Json& value, const Json& schema, const Json& root, const std::string& pointer,
                Diagnostics& errors) {
  Checker(root, errors).Check(value, schema, pointer);
}

std::string DescribeJsonType(const Json& value) {
  if (value.is_object()) return "a mapping";
  if (value.is_array()) return "a list";
  if (value.is_string()) return "text";
  if (value.is_number_integer()) return "a whole number";
  if (value.is_number()) return "a number";
  if (value.is_boolean()) return "true or false";
  return "nothing";
}

}  // namespace mutirao
