#include "orchestration/definition/param_type.h"

#include <charconv>
#include <chrono>
#include <cmath>
#include <cstdio>

#include <fmt/format.h>

#include "base/diagnostic.h"
#include "base/document.h"
#include "base/shape.h"

namespace mutirao::orchestration {
namespace {

const std::vector<std::string>& TypeNames() {
  static const std::vector<std::string> names = {"string", "bool",      "int8",        "int16",
                                                 "int32",  "int64",     "float64",     "decimal(18,2)",
                                                 "date",   "timestamp", "list<string>"};
  return names;
}

std::string WithoutSpaces(std::string_view text) {
  std::string result;
  for (char c : text) {
    if (c != ' ') result += c;
  }
  return result;
}

Status Misfit(const std::string& type, const Json& value) {
  std::string shown = value.is_string() ? fmt::format("\"{}\"", value.get<std::string>()) : value.dump();
  if (value.is_structured()) shown = DescribeJsonType(value);
  return Status::Invalid(fmt::format("expects {}, not {}", type, shown));
}

bool IsDate(std::string_view text) {
  int year = 0;
  unsigned month = 0;
  unsigned day = 0;
  int used = 0;
  std::string copy(text);
  if (copy.size() != 10 || std::sscanf(copy.c_str(), "%4d-%2u-%2u%n", &year, &month, &day, &used) != 3) return false;
  return used == 10 &&
         std::chrono::year_month_day(std::chrono::year(year), std::chrono::month(month), std::chrono::day(day)).ok();
}

// "2026-01-31 10:00:00[.ffffff]" or with a T, or a date alone.
bool IsTimestamp(std::string_view text) {
  if (text.size() < 10 || !IsDate(text.substr(0, 10))) return false;
  if (text.size() == 10) return true;
  if (text[10] != ' ' && text[10] != 'T') return false;
  int hour = -1;
  int minute = -1;
  int second = 0;
  int used = 0;
  std::string clock(text.substr(11));
  if (std::sscanf(clock.c_str(), "%2d:%2d%n", &hour, &minute, &used) != 2 || used != 5) return false;
  if (clock.size() > 5) {
    if (std::sscanf(clock.c_str() + 5, ":%2d%n", &second, &used) != 1 || used != 3) return false;
    std::string_view fraction = std::string_view(clock).substr(8);
    bool digits = fraction.size() > 1 && fraction.find_first_not_of("0123456789", 1) == std::string_view::npos;
    if (!fraction.empty() && (fraction[0] != '.' || !digits || fraction.size() > 7)) return false;
  }
  return hour >= 0 && hour < 24 && minute >= 0 && minute < 60 && second >= 0 && second < 60;
}

}  // namespace

Result<ParamType> ParamType::Parse(std::string_view text) {
  ParamType type;
  type.name_ = WithoutSpaces(text);
  std::string item = type.name_;
  if (item.starts_with("list<") && item.ends_with(">")) {
    type.is_list_ = true;
    item = item.substr(5, item.size() - 6);
  }
  type.item_name_ = item;
  if (item == "string") return type;
  if (item == "bool") {
    type.kind_ = Kind::kBool;
  } else if (item == "int8" || item == "int16" || item == "int32" || item == "int64") {
    type.kind_ = Kind::kInteger;
    type.bits_ = std::atoi(item.c_str() + 3);
  } else if (item == "float64") {
    type.kind_ = Kind::kFloat;
  } else if (item == "date") {
    type.kind_ = Kind::kDate;
  } else if (item == "timestamp") {
    type.kind_ = Kind::kTimestamp;
  } else if (int used = 0; std::sscanf(item.c_str(), "decimal(%d,%d)%n", &type.precision_, &type.scale_, &used) == 2 &&
                           used == static_cast<int>(item.size())) {
    type.kind_ = Kind::kDecimal;
    if (type.precision_ < 1 || type.precision_ > 38 || type.scale_ < 0 || type.scale_ > type.precision_) {
      return Status::Invalid(
          fmt::format("{} is no type: the first number is 1 to 38, the second at most the first", item));
    }
  } else {
    std::string help = DidYouMean(item, TypeNames());
    if (help.empty()) help = fmt::format("types of params are {}", fmt::join(TypeNames(), ", "));
    return Status::Invalid(fmt::format("\"{}\" is not a type of a param", text)).Help(std::move(help));
  }
  return type;
}

Result<Json> ParamType::Convert(const Json& value) const {
  if (!is_list_) return ConvertItem(value);
  if (!value.is_array()) return Misfit(name_, value);
  Json list = Json::array();
  for (const Json& item : value) {
    Json converted = MUTIRAO_TRY(ConvertItem(item).Context(fmt::format("item {}", list.size() + 1)));
    list.push_back(std::move(converted));
  }
  return list;
}

Result<Json> ParamType::ConvertText(const std::string& text) const {
  if (!is_list_) return ConvertItemText(text);
  Json list = Json::array();
  if (text.starts_with('[')) {
    Result<Document> document = Document::Parse(name_, text);
    if (!document.ok() || !document->value().is_array()) return Misfit(name_, text);
    for (const Json& item : document->value()) {
      Json converted = MUTIRAO_TRY(ConvertItem(item));
      list.push_back(std::move(converted));
    }
    return list;
  }
  if (text.empty()) return list;
  size_t begin = 0;
  while (begin <= text.size()) {
    size_t end = std::min(text.find(',', begin), text.size());
    Json converted = MUTIRAO_TRY(ConvertItemText(text.substr(begin, end - begin)));
    list.push_back(std::move(converted));
    begin = end + 1;
  }
  return list;
}

Result<Json> ParamType::ConvertItem(const Json& value) const {
  switch (kind_) {
    case Kind::kBool:
      if (value.is_boolean()) return value;
      break;
    case Kind::kInteger:
      if (value.is_number_integer()) return CheckInteger(value.get<int64_t>());
      break;
    case Kind::kFloat:
      if (value.is_number()) return Json(value.get<double>());
      break;
    case Kind::kDecimal:
      if (value.is_number()) return CheckDecimal(value.dump());
      if (value.is_string()) return CheckDecimal(value.get<std::string>());
      break;
    case Kind::kString:
    case Kind::kDate:
    case Kind::kTimestamp:
      if (value.is_string()) return ConvertItemText(value.get<std::string>());
      break;
  }
  Status misfit = Misfit(item_name_, value);
  if (kind_ == Kind::kString && value.is_primitive() && !value.is_null()) {
    return std::move(misfit).Help("put the value in quotes to make it text");
  }
  return misfit;
}

Result<Json> ParamType::ConvertItemText(const std::string& text) const {
  const char* begin = text.data();
  const char* end = begin + text.size();
  switch (kind_) {
    case Kind::kString:
      return Json(text);
    case Kind::kBool:
      if (text == "true" || text == "false") return Json(text == "true");
      break;
    case Kind::kInteger: {
      int64_t number = 0;
      auto [rest, error] = std::from_chars(begin, end, number);
      if (error == std::errc() && rest == end) return CheckInteger(number);
      break;
    }
    case Kind::kFloat: {
      double number = 0;
      auto [rest, error] = std::from_chars(begin, end, number);
      if (error == std::errc() && rest == end && std::isfinite(number)) return Json(number);
      break;
    }
    case Kind::kDecimal:
      return CheckDecimal(text);
    case Kind::kDate:
      if (IsDate(text)) return Json(text);
      return std::move(Misfit("a date", text)).Help("write it as 2026-01-31");
    case Kind::kTimestamp:
      if (IsTimestamp(text)) return Json(text);
      return std::move(Misfit("a timestamp", text)).Help("write it as 2026-01-31 10:00:00");
  }
  return Misfit(item_name_, text);
}

Result<Json> ParamType::CheckInteger(int64_t value) const {
  int64_t most = bits_ == 64 ? INT64_MAX : (int64_t{1} << (bits_ - 1)) - 1;
  if (value > most || value < -most - 1)
    return Status::Invalid(fmt::format("{} does not fit into {}", value, item_name_));
  return Json(value);
}

Result<Json> ParamType::CheckDecimal(const std::string& text) const {
  std::string_view digits = text;
  if (digits.starts_with('-') || digits.starts_with('+')) digits.remove_prefix(1);
  size_t dot = std::min(digits.find('.'), digits.size());
  std::string_view whole = digits.substr(0, dot);
  std::string_view fraction = dot < digits.size() ? digits.substr(dot + 1) : std::string_view();
  auto only_digits = [](std::string_view part) {
    return part.find_first_not_of("0123456789") == std::string_view::npos;
  };
  if (whole.empty() || !only_digits(whole) || !only_digits(fraction)) return Misfit(item_name_, text);
  while (whole.size() > 1 && whole[0] == '0') whole.remove_prefix(1);
  if (static_cast<int>(fraction.size()) > scale_ ||
      static_cast<int>(whole.size()) > precision_ - scale_ + (whole == "0")) {
    return Status::Invalid(fmt::format("{} does not fit into {}", text, item_name_));
  }
  return Json(text);
}

Json ParamType::ToJsonSchema() const {
  Json item;
  switch (kind_) {
    case Kind::kBool:
      item = {{"type", "boolean"}};
      break;
    case Kind::kInteger:
      item = {{"type", "integer"}};
      break;
    case Kind::kFloat:
      item = {{"type", "number"}};
      break;
    case Kind::kDate:
      item = {{"type", "string"}, {"format", "date"}};
      break;
    default:
      item = {{"type", "string"}};
      break;
  }
  if (!is_list_) return item;
  return {{"type", "array"}, {"items", item}};
}

}  // namespace mutirao::orchestration
