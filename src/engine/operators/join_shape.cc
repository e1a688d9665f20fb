#include "engine/operators/join_shape.h"

#include <algorithm>

#include <arrow/api.h>

#include "engine/rows/order_columns.h"

namespace mutirao::engine {
namespace {

int KeyIndex(const std::vector<std::string>& keys, const std::string& name) {
  const auto at = std::find(keys.begin(), keys.end(), name);
  return at == keys.end() ? -1 : static_cast<int>(at - keys.begin());
}

}  // namespace

JoinShape::JoinShape(const frame::JoinNode& join, bool build_right) : node(join), probe_is_left(build_right) {
  const auto& spec = node.spec;
  const arrow::Schema& left = *node.left()->schema();
  const arrow::Schema& right = *node.right()->schema();
  probe_schema = (probe_is_left ? node.left() : node.right())->schema();
  int at = 0;
  for (const std::string& name : spec.left_output) {
    const int key = KeyIndex(spec.left_keys, name);
    const bool needs_right = key >= 0 && (has_right_rows() || !probe_is_left);
    const int other = needs_right ? right.GetFieldIndex(spec.right_keys[static_cast<size_t>(key)]) : -1;
    AddOutput(at++, left.GetFieldIndex(name), other);
  }
  for (const auto& [name, as] : spec.right_output) AddOutput(at++, -1, right.GetFieldIndex(name));
  kept_columns = static_cast<int>(build_columns.size());
  for (size_t i = 0; i < spec.left_keys.size(); ++i) {
    const int left_key = left.GetFieldIndex(spec.left_keys[i]), right_key = right.GetFieldIndex(spec.right_keys[i]);
    probe_keys.push_back(probe_is_left ? left_key : right_key);
    build_keys.push_back(Keep(probe_is_left ? right_key : left_key));
  }
  std::vector<std::shared_ptr<arrow::Field>> fields;
  for (int column : build_columns) fields.push_back((probe_is_left ? right : left).field(column));
  build_schema = arrow::schema(std::move(fields));
  output_schema = node.schema();
}

JoinShape JoinShape::WithOrder() const {
  JoinShape shape = *this;
  shape.output_schema = WithOrderColumns(*WithOrderColumns(*output_schema));
  const int build_order = build_schema->num_fields(), probe_order = probe_schema->num_fields();
  for (int i = 0; i < 2 * kOrderColumns; ++i) {
    const TypePtr& type = shape.output_schema->field(output_schema->num_fields() + i)->type();
    shape.outputs.push_back(i < kOrderColumns ? Output{type, probe_order + i, -1}
                                              : Output{type, -1, build_order + i - kOrderColumns});
  }
  shape.probe_schema = WithOrderColumns(*probe_schema);
  shape.build_schema = WithOrderColumns(*build_schema);
  shape.kept_columns = shape.build_schema->num_fields();
  return shape;
}

int JoinShape::Keep(int column) {
  const auto known = std::find(build_columns.begin(), build_columns.end(), column);
  if (known != build_columns.end()) return static_cast<int>(known - build_columns.begin());
  build_columns.push_back(column);
  return static_cast<int>(build_columns.size()) - 1;
}

void JoinShape::AddOutput(int at, int left, int right) {
  Output output{node.schema()->field(at)->type(), probe_is_left ? left : right, probe_is_left ? right : left};
  if (output.build >= 0) output.build = Keep(output.build);
  outputs.push_back(std::move(output));
}

}  // namespace mutirao::engine
