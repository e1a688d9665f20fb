#include "columnar/type.h"

#include <algorithm>
#include <cctype>
#include <map>
#include <vector>

#include <arrow/api.h>
#include <arrow/compute/api.h>
#include <fmt/format.h>

#include "base/diagnostic.h"
#include "columnar/arrow_status.h"

namespace mutirao {
namespace {

constexpr int kDeepestList = 8;

std::string_view Trim(std::string_view text) {
  while (!text.empty() && std::isspace(static_cast<unsigned char>(text.front()))) text.remove_prefix(1);
  while (!text.empty() && std::isspace(static_cast<unsigned char>(text.back()))) text.remove_suffix(1);
  return text;
}

std::string Lower(std::string_view text) {
  std::string lower(text);
  for (char& c : lower) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return lower;
}

const std::map<std::string, TypePtr, std::less<>>& PlainTypes() {
  static const auto* types = new std::map<std::string, TypePtr, std::less<>>{
      {"bool", arrow::boolean()},     {"int8", arrow::int8()},       {"int16", arrow::int16()},
      {"int32", arrow::int32()},      {"int64", arrow::int64()},     {"float64", arrow::float64()},
      {"string", arrow::utf8()},      {"binary", arrow::binary()},   {"date", arrow::date32()},
      {"timestamp", arrow::timestamp(arrow::TimeUnit::MICRO)},
  };
  return *types;
}

// What other systems call our types, for the hint only.
std::string OurNameFor(std::string_view name) {
  static const auto* names = new std::map<std::string, std::string, std::less<>>{
      {"boolean", "bool"},      {"tinyint", "int8"},     {"smallint", "int16"},  {"int", "int32"},
      {"integer", "int32"},     {"bigint", "int64"},     {"long", "int64"},      {"uint8", "int16"},
      {"uint16", "int32"},      {"uint32", "int64"},     {"uint64", "decimal(20,0)"}, {"float", "float64"},
      {"float32", "float64"},   {"double", "float64"},   {"real", "float64"},    {"numeric", "decimal(18,2)"},
      {"number", "decimal(18,2)"}, {"varchar", "string"}, {"char", "string"},    {"text", "string"},
      {"str", "string"},        {"utf8", "string"},      {"blob", "binary"},     {"bytes", "binary"},
      {"bytea", "binary"},      {"datetime", "timestamp"}, {"timestamptz", "timestamp[UTC]"},
      {"date32", "date"},       {"array", "list<string>"}, {"list", "list<string>"}};
  auto found = names->find(name);
  return found == names->end() ? "" : found->second;
}

Status NotAType(std::string_view text) {
  std::string head = Lower(text.substr(0, text.find_first_of("([< ")));
  std::string help;
  if (std::string ours = OurNameFor(head); !ours.empty()) {
    help = fmt::format("did you mean \"{}\"?", ours);
  } else {
    std::vector<std::string> names = {"decimal", "list"};
    for (const auto& [name, type] : PlainTypes()) names.push_back(name);
    help = DidYouMean(head, names);
  }
  if (help.empty()) {
    help = "types are bool, int8, int16, int32, int64, float64, decimal(p,s), string, binary, date, timestamp, "
           "timestamp[zone] and list<t>";
  }
  return Status::Invalid(fmt::format("\"{}\" is not a type", text)).Help(std::move(help));
}

// Reads a number of one or two digits; -1 otherwise.
int SmallNumber(std::string_view text) {
  text = Trim(text);
  if (text.empty() || text.size() > 2) return -1;
  int number = 0;
  for (char c : text) {
    if (c < '0' || c > '9') return -1;
    number = number * 10 + (c - '0');
  }
  return number;
}

Result<TypePtr> ParseDecimal(std::string_view text, std::string_view inside) {
  size_t comma = inside.find(',');
  int precision = SmallNumber(inside.substr(0, comma));
  int scale = comma == std::string_view::npos ? 0 : SmallNumber(inside.substr(comma + 1));
  if (precision < 1 || precision > 38 || scale < 0 || scale > precision) {
    return Status::Invalid(fmt::format("\"{}\" is not a type: decimal(p,s) needs 1 to 38 digits and 0 <= s <= p", text))
        .Help("for money write decimal(18,2)");
  }
  return arrow::decimal128(precision, scale);
}

bool IsZoneName(std::string_view zone) {
  auto allowed = [](unsigned char c) { return std::isalnum(c) || c == '/' || c == '_' || c == '+' || c == '-' || c == ':'; };
  return !zone.empty() && zone.size() <= 64 && std::all_of(zone.begin(), zone.end(), allowed);
}

Result<TypePtr> ParseNested(std::string_view text, int depth) {
  text = Trim(text);
  if (depth > kDeepestList) return Status::Invalid(fmt::format("lists may be nested at most {} deep", kDeepestList));
  std::string lower = Lower(text);
  if (auto found = PlainTypes().find(lower); found != PlainTypes().end()) return found->second;
  size_t open = lower.find_first_of("([<");
  if (open == std::string::npos) {
    if (lower == "decimal") {
      return Status::Invalid("decimal needs its digits: decimal(precision, scale)").Help("for money write decimal(18,2)");
    }
    return NotAType(text);
  }
  std::string_view head = Trim(std::string_view(lower).substr(0, open));
  std::string_view inside = text.substr(open + 1);
  if (inside.empty()) return NotAType(text);
  char close = inside.back();
  inside.remove_suffix(1);
  if (head == "decimal" && text[open] == '(' && close == ')') return ParseDecimal(text, inside);
  if (head == "list" && text[open] == '<' && close == '>') {
    auto item = MUTIRAO_TRY(ParseNested(inside, depth + 1));
    return arrow::list(item);
  }
  if (head == "timestamp" && text[open] == '[' && close == ']') {
    std::string_view zone = Trim(inside);
    if (!IsZoneName(zone)) return Status::Invalid(fmt::format("\"{}\" is not a time zone", zone)).Help("write timestamp[America/Sao_Paulo]");
    return arrow::timestamp(arrow::TimeUnit::MICRO, std::string(zone));
  }
  return NotAType(text);
}

}  // namespace

Result<TypePtr> ParseType(std::string_view text) { return ParseNested(text, 0); }

std::string TypeName(const arrow::DataType& type) {
  if (!IsPlanType(type)) return type.ToString();
  switch (type.id()) {
    case arrow::Type::DECIMAL128: {
      const auto& decimal = static_cast<const arrow::Decimal128Type&>(type);
      return fmt::format("decimal({},{})", decimal.precision(), decimal.scale());
    }
    case arrow::Type::TIMESTAMP: {
      const auto& zone = static_cast<const arrow::TimestampType&>(type).timezone();
      return zone.empty() ? "timestamp" : fmt::format("timestamp[{}]", zone);
    }
    case arrow::Type::LIST: return fmt::format("list<{}>", TypeName(*static_cast<const arrow::ListType&>(type).value_type()));
    case arrow::Type::DATE32: return "date";
    case arrow::Type::DOUBLE: return "float64";
    default: return type.ToString();
  }
}

bool IsPlanType(const arrow::DataType& type) {
  switch (type.id()) {
    case arrow::Type::BOOL:
    case arrow::Type::INT8:
    case arrow::Type::INT16:
    case arrow::Type::INT32:
    case arrow::Type::INT64:
    case arrow::Type::DOUBLE:
    case arrow::Type::STRING:
    case arrow::Type::BINARY:
    case arrow::Type::DATE32: return true;
    case arrow::Type::DECIMAL128: {
      const auto& decimal = static_cast<const arrow::Decimal128Type&>(type);
      return decimal.precision() >= 1 && decimal.scale() >= 0 && decimal.scale() <= decimal.precision();
    }
    case arrow::Type::TIMESTAMP: return static_cast<const arrow::TimestampType&>(type).unit() == arrow::TimeUnit::MICRO;
    case arrow::Type::LIST: return IsPlanType(*static_cast<const arrow::ListType&>(type).value_type());
    default: return false;
  }
}

namespace {

Status NoPlanType(const arrow::DataType& type) {
  return Status::Unsupported(fmt::format("columns of type {} cannot be read", type.ToString()))
      .Help("leave the column out of the read, or write it as one of the types of the guide");
}

Result<TypePtr> PlanDecimal(const arrow::DataType& type) {
  const auto& decimal = static_cast<const arrow::DecimalType&>(type);
  int precision = decimal.precision();
  int scale = decimal.scale();
  if (scale < 0) {
    precision -= scale;
    scale = 0;
  }
  precision = std::max(precision, scale);
  if (precision > 38) return NoPlanType(type);
  return arrow::decimal128(precision, scale);
}

}  // namespace

Result<TypePtr> PlanTypeFor(const arrow::DataType& type) {
  switch (type.id()) {
    case arrow::Type::NA: return arrow::utf8();
    case arrow::Type::BOOL: return arrow::boolean();
    case arrow::Type::INT8: return arrow::int8();
    case arrow::Type::INT16:
    case arrow::Type::UINT8: return arrow::int16();
    case arrow::Type::INT32:
    case arrow::Type::UINT16: return arrow::int32();
    case arrow::Type::INT64:
    case arrow::Type::UINT32: return arrow::int64();
    case arrow::Type::UINT64: return arrow::decimal128(20, 0);
    case arrow::Type::HALF_FLOAT:
    case arrow::Type::FLOAT:
    case arrow::Type::DOUBLE: return arrow::float64();
    case arrow::Type::DECIMAL32:
    case arrow::Type::DECIMAL64:
    case arrow::Type::DECIMAL128:
    case arrow::Type::DECIMAL256: return PlanDecimal(type);
    case arrow::Type::STRING:
    case arrow::Type::LARGE_STRING:
    case arrow::Type::STRING_VIEW: return arrow::utf8();
    case arrow::Type::BINARY:
    case arrow::Type::LARGE_BINARY:
    case arrow::Type::BINARY_VIEW:
    case arrow::Type::FIXED_SIZE_BINARY: return arrow::binary();
    case arrow::Type::DATE32:
    case arrow::Type::DATE64: return arrow::date32();
    case arrow::Type::TIMESTAMP:
      return arrow::timestamp(arrow::TimeUnit::MICRO, static_cast<const arrow::TimestampType&>(type).timezone());
    case arrow::Type::LIST:
    case arrow::Type::LARGE_LIST:
    case arrow::Type::FIXED_SIZE_LIST: {
      auto item = MUTIRAO_TRY(PlanTypeFor(*static_cast<const arrow::BaseListType&>(type).value_type()));
      return arrow::list(item);
    }
    case arrow::Type::DICTIONARY: return PlanTypeFor(*static_cast<const arrow::DictionaryType&>(type).value_type());
    case arrow::Type::EXTENSION: return PlanTypeFor(*static_cast<const arrow::ExtensionType&>(type).storage_type());
    default: return NoPlanType(type);
  }
}

namespace {

Result<ArrayPtr> ToType(const ArrayPtr& array, const TypePtr& type) {
  if (array->type()->Equals(*type)) return array;
  if (array->type_id() == arrow::Type::EXTENSION) {
    return ToType(static_cast<const arrow::ExtensionArray&>(*array).storage(), type);
  }
  if (array->type_id() == arrow::Type::DICTIONARY) {
    const auto& dictionary = static_cast<const arrow::DictionaryArray&>(*array);
    const TypePtr& values = static_cast<const arrow::DictionaryType&>(*array->type()).value_type();
    auto decoded = MUTIRAO_TRY(arrow::compute::Cast(dictionary, values));
    return ToType(decoded, type);
  }
  auto options = arrow::compute::CastOptions::Safe();
  options.allow_time_truncate = true;  // a plan's clock ticks in microseconds
  return MUTIRAO_TRY(arrow::compute::Cast(*array, type, options));
}

}  // namespace

Result<BatchPtr> ToPlanTypes(const BatchPtr& batch, const SchemaPtr& schema) {
  if (batch->num_columns() != schema->num_fields()) {
    return Status::Invalid(fmt::format("a batch has {} columns where {} are expected", batch->num_columns(), schema->num_fields()));
  }
  std::vector<ArrayPtr> columns;
  columns.reserve(batch->num_columns());
  for (int i = 0; i < batch->num_columns(); ++i) {
    auto column = ToType(batch->column(i), schema->field(i)->type());
    if (!column.ok()) return std::move(column).status().Context(fmt::format("column \"{}\"", schema->field(i)->name()));
    columns.push_back(std::move(*column));
  }
  return arrow::RecordBatch::Make(schema, batch->num_rows(), std::move(columns));
}

}  // namespace mutirao
