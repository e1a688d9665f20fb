#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/json.h"

namespace mutirao::orchestration::pipes {

/// The kinds of value that a program attaches to what it reports.
enum class MetadataType {
  kText,
  kMarkdown,
  kUrl,
  kPath,
  kNotebook,
  kFloat,
  kInt,
  kBool,
  kJson,
  kTimestamp,
  kNull,
  kRun,
  kAsset,
  kTable,
  kTableSchema,
  kColumnLineage,
};

/// The name on the wire: "md", "table_column_lineage".
std::string_view MetadataTypeName(MetadataType type);

/// A value whose shape fits its type. `value` is what stood under "raw_value", but: null for kNull, a list of
/// components for kAsset and for the asset keys of kColumnLineage, all keys of a column filled in.
struct MetadataValue {
  MetadataType type = MetadataType::kNull;
  Json value;
};

/// In the order of the message.
using Metadata = std::vector<std::pair<std::string, MetadataValue>>;

/// Read {"raw_value": …, "type": …}; "__infer__" becomes the type that its value has.
/// Errors: kInvalid when the type is unknown or its value has another shape.
Result<MetadataValue> ReadMetadataValue(const Json& wire);

/// Read a map of values, or null for none. Errors: as ReadMetadataValue, naming the key.
Result<Metadata> ReadMetadata(const Json& wire);

/// {"rows": {"type": "int", "value": 10}}
Json MetadataToJson(const Metadata& metadata);

}  // namespace mutirao::orchestration::pipes
