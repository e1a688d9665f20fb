#pragma once

#include <string>
#include <vector>

#include <arrow/api.h>
#include <arrow/compute/api.h>
#include <arrow/json/from_string.h>

#include "base/json.h"
#include "columnar/arrow_status.h"
#include "columnar/type.h"

namespace mutirao::engine::testing {

/// Make a batch of {"columns": {"id": "int64", …}, "rows": [[1, …], …]}: how tests write tables. Dates and timestamps
/// stand as text.
inline Result<BatchPtr> BatchFromJson(const Json& table) {
  std::vector<std::shared_ptr<arrow::Field>> fields;
  std::vector<ArrayPtr> arrays;
  const int64_t rows = static_cast<int64_t>(table.at("rows").size());
  size_t at = 0;
  for (const auto& [name, type_name] : table.at("columns").items()) {
    TypePtr type = MUTIRAO_TRY(ParseType(type_name.get<std::string>()));
    Json values = Json::array();
    for (const Json& row : table.at("rows")) {
      if (row.size() != table.at("columns").size()) return Status::Invalid("row " + row.dump() + " has another width");
      values.push_back(row[at]);
    }
    const bool as_text = type->id() == arrow::Type::DATE32 || type->id() == arrow::Type::TIMESTAMP;
    ArrayPtr array = MUTIRAO_TRY(arrow::json::ArrayFromJSONString(as_text ? arrow::utf8() : type, values.dump()));
    if (as_text) {
      arrow::Datum cast = MUTIRAO_TRY(arrow::compute::Cast(array, type));
      array = cast.make_array();
    }
    fields.push_back(arrow::field(name, type));
    arrays.push_back(std::move(array));
    ++at;
  }
  return arrow::RecordBatch::Make(arrow::schema(std::move(fields)), rows, std::move(arrays));
}

}  // namespace mutirao::engine::testing
