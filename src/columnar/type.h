#pragma once

#include <memory>
#include <string>
#include <string_view>

#include <arrow/type_fwd.h>

#include <mutirao/status.h>

namespace mutirao {

using TypePtr = std::shared_ptr<arrow::DataType>;
using SchemaPtr = std::shared_ptr<arrow::Schema>;
using BatchPtr = std::shared_ptr<arrow::RecordBatch>;
using ArrayPtr = std::shared_ptr<arrow::Array>;
using ScalarPtr = std::shared_ptr<arrow::Scalar>;

/// Parse a type as users write it: bool int8…int64 float64 decimal(p,s) string binary date timestamp timestamp[zone]
/// list<t>. Only these types occur inside a plan: string is arrow::utf8, binary arrow::binary, date arrow::date32,
/// timestamp arrow::timestamp(MICRO[, zone]), decimal arrow::decimal128 with 1 ≤ p ≤ 38, list<t> arrow::list.
/// Errors: kInvalid naming what is not a type, with a did-you-mean in help().
Result<TypePtr> ParseType(std::string_view text);

/// Write a type as users read it; the inverse of ParseType. An Arrow type outside the list above is written by Arrow's
/// own name.
std::string TypeName(const arrow::DataType& type);

/// Say whether a type is one of the list above.
bool IsPlanType(const arrow::DataType& type);

/// Give the plan type that holds every value of any Arrow type a file may bring (large_string → string, uint32 → int64,
/// float → float64, dictionary → its values, timestamp(ns) → timestamp(us) …).
/// Errors: kUnsupported for types without such (struct, map, union, …).
Result<TypePtr> PlanTypeFor(const arrow::DataType& type);

/// Convert the columns of a batch to `schema` (same names and order, plan types), as PlanTypeFor says.
Result<BatchPtr> ToPlanTypes(const BatchPtr& batch, const SchemaPtr& schema);

}  // namespace mutirao
