#pragma once

#include <vector>

#include "base/json.h"
#include "frame/format_registry.h"
#include "frame/plan/plan.h"

namespace mutirao::frame {

/// Write plans as one JSON document: {"nodes": [{"kind": "scan", "inputs": [], …}], "roots": [3]}. Inputs are indexes of
/// earlier nodes, so sharing is kept; expressions stand in their canonical text form, beside every node its schema. Where
/// they call functions of modules, "functions" says which, {"normal_name": hash of the library's content}.
Json PlanToJson(const std::vector<PlanPtr>& roots);

/// Read them back; PlanToJson(PlanFromJson(x)) is x. `functions` has those of modules that the plan says it calls.
/// Errors: kInvalid naming the node; kNotFound when such a function is not there, or one of another content is.
Result<std::vector<PlanPtr>> PlanFromJson(const Json& json, const FormatRegistry& registry,
                                          const FormatContext& context, const FunctionSet& functions = {});

/// The functions of modules that plans call.
FunctionSet FunctionsOf(const std::vector<PlanPtr>& roots);

/// [{"name": "uf", "type": "string"}, …] and back.
Json SchemaToJson(const arrow::Schema& schema);
Result<SchemaPtr> SchemaFromJson(const Json& json);

/// A typed scalar as {"type": "decimal(18,2)", "value": "1.50"} and back; exact for every plan type.
Json ScalarToJson(const arrow::Scalar& scalar);
Result<ScalarPtr> ScalarFromJson(const Json& json);

}  // namespace mutirao::frame
