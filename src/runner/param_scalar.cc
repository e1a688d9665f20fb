#include "runner/param_scalar.h"

#include <arrow/api.h>
#include <arrow/util/decimal.h>
#include <fmt/format.h>

#include "columnar/arrow_status.h"

namespace mutirao::runner {
namespace {

using orchestration::ParamType;

Result<ScalarPtr> DecimalScalar(const TypePtr& type, const std::string& text) {
  const auto& decimal_type = static_cast<const arrow::Decimal128Type&>(*type);
  arrow::Decimal128 value;
  int32_t precision = 0;
  int32_t scale = 0;
  MUTIRAO_TRY(arrow::Decimal128::FromString(text, &value, &precision, &scale));
  arrow::Decimal128 scaled = MUTIRAO_TRY(value.Rescale(scale, decimal_type.scale()));
  return std::make_shared<arrow::Decimal128Scalar>(scaled, type);
}

Result<ScalarPtr> ItemScalar(const TypePtr& type, const Json& value) {
  if (value.is_null()) return arrow::MakeNullScalar(type);
  std::string text = value.is_string() ? value.get<std::string>() : value.dump();
  if (type->id() == arrow::Type::STRING) return std::make_shared<arrow::StringScalar>(text);
  if (type->id() == arrow::Type::DECIMAL128) return DecimalScalar(type, text);
  return MUTIRAO_TRY(arrow::Scalar::Parse(type, text));
}

Result<ScalarPtr> ListScalar(const TypePtr& type, const Json& values) {
  const TypePtr& item_type = static_cast<const arrow::ListType&>(*type).value_type();
  auto builder = MUTIRAO_TRY(arrow::MakeBuilder(item_type));
  for (const Json& value : values) {
    ScalarPtr item = MUTIRAO_TRY(ItemScalar(item_type, value));
    MUTIRAO_TRY(builder->AppendScalar(*item));
  }
  ArrayPtr items = MUTIRAO_TRY(builder->Finish());
  return std::make_shared<arrow::ListScalar>(items, type);
}

// The type of a value that nobody declared: those of op config, run and environment.
std::string TypeOfJson(const Json& value) {
  if (value.is_boolean()) return "bool";
  if (value.is_number_integer()) return "int64";
  if (value.is_number()) return "float64";
  if (value.is_array()) return value.empty() ? "list<string>" : "list<" + TypeOfJson(value[0]) + ">";
  return "string";
}

void CollectEnvironmentNames(const Json& value, std::vector<std::string>& names) {
  if (value.is_structured()) {
    for (const Json& item : value) CollectEnvironmentNames(item, names);
  }
  if (!value.is_string()) return;
  for (const orchestration::VariableUse& use : orchestration::FindVariables(value.get<std::string>())) {
    if (use.name.starts_with("env.")) names.push_back(use.name);
  }
}

}  // namespace

Result<ScalarPtr> ParamScalar(const ParamType& type, const Json& value) {
  TypePtr arrow_type = MUTIRAO_TRY(ParseType(type.name()));
  if (value.is_null()) return arrow::MakeNullScalar(arrow_type);
  return type.is_list() ? ListScalar(arrow_type, value) : ItemScalar(arrow_type, value);
}

Result<frame::Parameters> MakeParameters(const orchestration::LoadedJob& job, const orchestration::Variables& variables,
                                         const Json& spec) {
  frame::Parameters parameters;
  auto add = [&](const std::string& name, const std::string& type_name, const Json& value) -> Status {
    ParamType type = MUTIRAO_TRY(ParamType::Parse(type_name));
    parameters[name] = MUTIRAO_TRY(ParamScalar(type, value).Context(fmt::format("value of {}", name)));
    return Status::Ok();
  };
  for (const auto& [name, value] : variables.values()) {
    const orchestration::ParamDef* param = job.def.FindParam(name);
    if (value.is_object()) continue;
    MUTIRAO_TRY(add(name, param != nullptr ? param->type.name() : TypeOfJson(value), value));
  }
  std::vector<std::string> names;
  CollectEnvironmentNames(spec, names);
  for (const std::string& name : names) {
    Result<Json> value = variables.Find(name);
    if (value.ok()) MUTIRAO_TRY(add(name, "string", *value));
  }
  return parameters;
}

}  // namespace mutirao::runner
