#include <limits>

#include <fmt/format.h>

#include "frame/plan/plan_json.h"
#include "frame/plan/schema_rules.h"

namespace mutirao::frame {
namespace {

// One node of the document with checked access to its members.
class NodeReader {
 public:
  NodeReader(const Json& json, std::vector<PlanPtr> inputs, SchemaPtr schema, const FormatRegistry& registry,
             const FormatContext& context, const FunctionSet& functions)
      : json_(json),
        inputs_(std::move(inputs)),
        schema_(std::move(schema)),
        registry_(registry),
        context_(context),
        options_{.functions = &functions} {}

  Result<PlanPtr> Read(NodeKind kind);

 private:
  Result<const Json*> Get(const char* key, Json::value_t type) const {
    if (!json_.contains(key)) return Status::Invalid(fmt::format("\"{}\" is missing", key));
    const Json& value = json_[key];
    if (value.type() != type) return Status::Invalid(fmt::format("\"{}\" is a {}", key, value.type_name()));
    return &value;
  }
  Result<std::string> Text(const Json& object, const char* key) const {
    if (!object.is_object() || !object.contains(key) || !object[key].is_string()) {
      return Status::Invalid(fmt::format("a text \"{}\" is missing", key));
    }
    return object[key].get<std::string>();
  }
  Result<std::string> Text(const char* key) const { return Text(json_, key); }
  Result<ExprPtr> Expression(const char* key) const {
    std::string text = MUTIRAO_TRY(Text(key));
    return ParseExpr(text);
  }
  Result<int64_t> Count(const char* key) const {
    if (!json_.contains(key) || !json_[key].is_number_integer()) {
      return Status::Invalid(fmt::format("a number \"{}\" is missing", key));
    }
    const Json& value = json_[key];
    if (value.is_number_unsigned() && value.get<uint64_t>() > uint64_t{std::numeric_limits<int64_t>::max()}) {
      return Status::Invalid(fmt::format("\"{}\" is too large", key));
    }
    return value.get<int64_t>();
  }
  Result<std::vector<std::string>> Names(const Json& object, const char* key) const {
    if (!object.contains(key) || !object[key].is_array())
      return Status::Invalid(fmt::format("a list \"{}\" is missing", key));
    std::vector<std::string> names;
    for (const Json& name : object[key]) {
      if (!name.is_string()) return Status::Invalid(fmt::format("\"{}\" must hold names", key));
      names.push_back(name.get<std::string>());
    }
    return names;
  }
  Result<std::vector<std::string>> Names(const char* key) const { return Names(json_, key); }

  Result<PlanPtr> Scan() const;
  Result<PlanPtr> Project() const;
  Result<PlanPtr> Join() const;
  Result<PlanPtr> Aggregate() const;
  Result<PlanPtr> Sort() const;
  Result<PlanPtr> Sample() const;
  Result<PlanPtr> Quarantine() const;
  Result<PlanPtr> Write() const;

  const Json& json_;
  const std::vector<PlanPtr> inputs_;
  const SchemaPtr schema_;
  const FormatRegistry& registry_;
  const FormatContext& context_;
  const BindOptions options_;
};

Result<PlanPtr> NodeReader::Scan() const {
  const Json* spec = MUTIRAO_TRY(Get("source", Json::value_t::object));
  Diagnostics errors;
  SourcePtr source = MUTIRAO_TRY(registry_.MakeSource(*spec, context_, errors));
  ExprPtr predicate;
  if (json_.contains("predicate")) predicate = MUTIRAO_TRY(Expression("predicate"));
  std::optional<int64_t> limit;
  if (json_.contains("limit")) limit = MUTIRAO_TRY(Count("limit"));
  bool preserve_order = json_.value("preserve_order", Json(false)) == true;
  return MakeScan(std::move(source), ColumnNames(*schema_), std::move(predicate), limit, preserve_order, options_);
}

Result<PlanPtr> NodeReader::Project() const {
  const Json* list = MUTIRAO_TRY(Get("columns", Json::value_t::array));
  std::vector<NamedExpr> columns;
  for (const Json& column : *list) {
    std::string name = MUTIRAO_TRY(Text(column, "name"));
    std::string text = MUTIRAO_TRY(Text(column, "expr"));
    ExprPtr expr = MUTIRAO_TRY(ParseExpr(text).Context(fmt::format("column \"{}\"", name)));
    columns.push_back({std::move(name), std::move(expr)});
  }
  return MakeProject(inputs_[0], columns, options_);
}

Result<JoinStrategy> ParseStrategy(const std::string& name) {
  if (name == "auto") return JoinStrategy::kAuto;
  if (name == "broadcast") return JoinStrategy::kBroadcast;
  if (name == "partitioned") return JoinStrategy::kPartitioned;
  return Status::Invalid(fmt::format("\"{}\" is not a strategy of joins", name));
}

Result<PlanPtr> NodeReader::Join() const {
  JoinNode::Spec spec;
  std::string how = MUTIRAO_TRY(Text("how"));
  spec.kind = MUTIRAO_TRY(ParseJoinKind(how));
  spec.left_keys = MUTIRAO_TRY(Names("left_keys"));
  spec.right_keys = MUTIRAO_TRY(Names("right_keys"));
  spec.left_output = MUTIRAO_TRY(Names("left_output"));
  const Json* right_output = MUTIRAO_TRY(Get("right_output", Json::value_t::array));
  for (const Json& pair : *right_output) {
    if (!pair.is_array() || pair.size() != 2 || !pair[0].is_string() || !pair[1].is_string()) {
      return Status::Invalid("\"right_output\" must hold pairs of names");
    }
    spec.right_output.emplace_back(pair[0].get<std::string>(), pair[1].get<std::string>());
  }
  std::string build = MUTIRAO_TRY(Text("build"));
  if (build != "left" && build != "right") return Status::Invalid("\"build\" must be left or right");
  spec.build_right = build == "right";
  std::string strategy = MUTIRAO_TRY(Text("strategy"));
  spec.strategy = MUTIRAO_TRY(ParseStrategy(strategy));
  return MakeJoin(inputs_[0], inputs_[1], std::move(spec));
}

Result<PlanPtr> NodeReader::Aggregate() const {
  std::vector<std::string> keys = MUTIRAO_TRY(Names("keys"));
  const Json* list = MUTIRAO_TRY(Get("calls", Json::value_t::array));
  std::vector<AggregateCall> calls;
  for (const Json& json : *list) {
    AggregateCall call;
    call.name = MUTIRAO_TRY(Text(json, "name"));
    call.function = MUTIRAO_TRY(Text(json, "function"));
    call.args = MUTIRAO_TRY(Names(json, "args"));
    if (json.contains("constants")) {
      if (!json["constants"].is_array()) return Status::Invalid("\"constants\" must be a list");
      for (const Json& constant : json["constants"]) {
        ScalarPtr scalar = MUTIRAO_TRY(ScalarFromJson(constant));
        call.constants.push_back(std::move(scalar));
      }
    }
    calls.push_back(std::move(call));
  }
  return MakeAggregate(inputs_[0], std::move(keys), std::move(calls));
}

Result<PlanPtr> NodeReader::Sort() const {
  const Json* list = MUTIRAO_TRY(Get("keys", Json::value_t::array));
  std::vector<SortKey> keys;
  for (const Json& json : *list) {
    std::string column = MUTIRAO_TRY(Text(json, "column"));
    if (!json.contains("descending") || !json["descending"].is_boolean()) {
      return Status::Invalid("a sort key needs \"descending\"");
    }
    keys.push_back({std::move(column), json["descending"].get<bool>()});
  }
  return MakeSort(inputs_[0], std::move(keys));
}

Result<PlanPtr> NodeReader::Sample() const {
  if (!json_.contains("seed") || !json_["seed"].is_number_unsigned()) return Status::Invalid("a sample needs \"seed\"");
  std::optional<double> fraction;
  if (json_.contains("fraction")) {
    if (!json_["fraction"].is_number()) return Status::Invalid("\"fraction\" must be a number");
    fraction = json_["fraction"].get<double>();
  }
  std::optional<int64_t> count;
  if (json_.contains("count")) count = MUTIRAO_TRY(Count("count"));
  return MakeSample(inputs_[0], fraction, count, json_["seed"].get<uint64_t>());
}

Result<PlanPtr> NodeReader::Quarantine() const {
  ExprPtr when = MUTIRAO_TRY(Expression("when"));
  std::string reason = MUTIRAO_TRY(Text("reason"));
  bool keeps = VisibleColumns(*schema_).size() < static_cast<size_t>(schema_->num_fields());
  return MakeQuarantine(inputs_[0], when, std::move(reason), options_, nullptr, keeps);
}

Result<PlanPtr> NodeReader::Write() const {
  const Json* spec = MUTIRAO_TRY(Get("sink", Json::value_t::object));
  Diagnostics errors;
  SinkPtr sink = MUTIRAO_TRY(registry_.MakeSink(*spec, inputs_[0]->schema(), context_, errors));
  return MakeWrite(inputs_[0], std::move(sink));
}

Result<PlanPtr> NodeReader::Read(NodeKind kind) {
  switch (kind) {
    case NodeKind::kScan:
      return Scan();
    case NodeKind::kFilter: {
      ExprPtr predicate = MUTIRAO_TRY(Expression("predicate"));
      return MakeFilter(inputs_[0], predicate, options_);
    }
    case NodeKind::kProject:
      return Project();
    case NodeKind::kJoin:
      return Join();
    case NodeKind::kAggregate:
      return Aggregate();
    case NodeKind::kDistinct: {
      std::vector<std::string> columns = MUTIRAO_TRY(Names("columns"));
      return MakeDistinct(inputs_[0], std::move(columns));
    }
    case NodeKind::kSort:
      return Sort();
    case NodeKind::kLimit: {
      int64_t count = MUTIRAO_TRY(Count("count"));
      return MakeLimit(inputs_[0], count);
    }
    case NodeKind::kSample:
      return Sample();
    case NodeKind::kUnion:
      return MakeUnion(inputs_);
    case NodeKind::kUnnest: {
      std::string column = MUTIRAO_TRY(Text("column"));
      std::optional<std::string> separator;
      if (json_.contains("separator")) separator = MUTIRAO_TRY(Text("separator"));
      return MakeUnnest(inputs_[0], std::move(column), std::move(separator));
    }
    case NodeKind::kQuarantine:
      return Quarantine();
    case NodeKind::kExchange: {
      std::vector<std::string> keys = MUTIRAO_TRY(Names("keys"));
      int64_t partitions = MUTIRAO_TRY(Count("partitions"));
      if (partitions > std::numeric_limits<int>::max()) return Status::Invalid("\"partitions\" is too large");
      return MakeExchange(inputs_[0], std::move(keys), static_cast<int>(partitions));
    }
    case NodeKind::kWrite:
      return Write();
  }
  return Status::Internal("a plan node of no kind");
}

Result<NodeKind> ParseNodeKind(const Json& node) {
  if (!node.is_object() || !node.contains("kind") || !node["kind"].is_string()) return Status::Invalid("no \"kind\"");
  auto name = node["kind"].get<std::string>();
  for (int i = 0; i <= static_cast<int>(NodeKind::kWrite); ++i) {
    if (NodeKindName(static_cast<NodeKind>(i)) == name) return static_cast<NodeKind>(i);
  }
  return Status::Invalid(fmt::format("\"{}\" is not a kind of plan node", name));
}

// The nodes that `indexes` name; all must stand before node `before`.
Result<std::vector<PlanPtr>> Lookup(const Json& owner, const char* key, const std::vector<PlanPtr>& nodes) {
  if (!owner.contains(key) || !owner[key].is_array()) return Status::Invalid(fmt::format("no list \"{}\"", key));
  std::vector<PlanPtr> found;
  for (const Json& index : owner[key]) {
    if (!index.is_number_unsigned() || index.get<uint64_t>() >= nodes.size()) {
      return Status::Invalid(fmt::format("\"{}\" names node {}, which does not stand before", key, index.dump()));
    }
    found.push_back(nodes[index.get<size_t>()]);
  }
  return found;
}

Result<PlanPtr> ReadNode(const Json& json, const std::vector<PlanPtr>& nodes, const FormatRegistry& registry,
                         const FormatContext& context, const FunctionSet& functions) {
  NodeKind kind = MUTIRAO_TRY(ParseNodeKind(json));
  std::vector<PlanPtr> inputs = MUTIRAO_TRY(Lookup(json, "inputs", nodes));
  size_t wanted = kind == NodeKind::kScan ? 0 : kind == NodeKind::kJoin ? 2 : 1;
  if (kind == NodeKind::kUnion ? inputs.empty() : inputs.size() != wanted) {
    return Status::Invalid(fmt::format("{} inputs", inputs.size()));
  }
  if (!json.contains("schema")) return Status::Invalid("no \"schema\"");
  SchemaPtr schema = MUTIRAO_TRY(SchemaFromJson(json["schema"]));
  PlanPtr node = MUTIRAO_TRY(NodeReader(json, std::move(inputs), schema, registry, context, functions).Read(kind));
  if (!SameColumns(*node->schema(), *schema)) {
    return Status::Invalid(
        fmt::format("its schema is {}, not what the document says", SchemaToJson(*node->schema()).dump()));
  }
  return node;
}

// The functions of modules that the document says its plan calls.
Result<FunctionSet> FunctionsCalled(const Json& json, const FunctionSet& functions) {
  FunctionSet called;
  if (!json.contains("functions")) return called;
  if (!json["functions"].is_object()) return Status::Invalid("\"functions\" is no mapping");
  for (const auto& [name, module] : json["functions"].items()) {
    if (!module.is_string()) return Status::Invalid(fmt::format("the module of function \"{}\" is no text", name));
    auto found = functions.find(name);
    if (found == functions.end() || found->second->module != module.get<std::string>()) {
      return Status::NotFound(
          fmt::format("the plan calls {}() of module {}, which is not here", name, module.get<std::string>()));
    }
    called.insert(*found);
  }
  return called;
}

}  // namespace

Result<std::vector<PlanPtr>> PlanFromJson(const Json& json, const FormatRegistry& registry,
                                          const FormatContext& context, const FunctionSet& functions) {
  if (!json.is_object() || !json.contains("nodes") || !json["nodes"].is_array()) {
    return Status::Invalid("a plan needs a list \"nodes\"");
  }
  const FunctionSet called = MUTIRAO_TRY(FunctionsCalled(json, functions));
  std::vector<PlanPtr> nodes;
  for (const Json& node : json["nodes"]) {
    std::string kind =
        node.is_object() && node.contains("kind") && node["kind"].is_string() ? node["kind"].get<std::string>() : "?";
    auto made = ReadNode(node, nodes, registry, context, called);
    if (!made.ok()) return made.status().Context(fmt::format("plan node {} ({})", nodes.size(), kind));
    nodes.push_back(*made);
  }
  return Lookup(json, "roots", nodes);
}

}  // namespace mutirao::frame
