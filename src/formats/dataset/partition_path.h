#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace mutirao::formats {

/// What Hive, Spark and all readers since write for null.
inline constexpr std::string_view kNullPartition = "__HIVE_DEFAULT_PARTITION__";

/// Write one level of a Hive path: ("uf", "SP") gives "uf=SP". Characters that a path or its readers would take for
/// something else become %XX; a null value becomes kNullPartition, and a text that is this very word is escaped.
std::string PartitionSegment(std::string_view column, std::optional<std::string_view> value);

/// One level of a path read back; the value is empty for null.
struct PartitionValue {
  std::string column;
  std::optional<std::string> value;
};

/// Find the Hive levels among the folders of a path, outermost first. The file's own name is not looked at.
std::vector<PartitionValue> PartitionsOf(std::string_view path);

}  // namespace mutirao::formats
