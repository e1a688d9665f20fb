#include "frame/plan/known_tables_test.h"

#include <algorithm>

#include <arrow/type.h>
#include <fmt/format.h>

#include "frame/plan/explain.h"

namespace mutirao::frame {
namespace {

struct Column {
  const char* name;
  const char* type;
};
struct Table {
  std::vector<Column> columns;
  int64_t rows;
};

const std::map<std::string, Table>& Tables() {
  static const auto* tables = new std::map<std::string, Table>{
      {"companies",
       {{{"cnpj_basico", "string"},
         {"razao_social", "string"},
         {"porte", "string"},
         {"capital_social", "decimal(18,2)"},
         {"natureza", "int32"}},
        1000}},
      {"establishments",
       {{{"cnpj_basico", "string"},
         {"uf", "string"},
         {"situacao", "string"},
         {"data", "string"},
         {"cnaes", "string"},
         {"municipio", "int64"},
         {"score", "float64"}},
        5000}},
      {"towns", {{{"codigo", "int64"}, {"nome", "string"}}, 100}},
      {"events",
       {{{"id", "int64"},
         {"at", "timestamp"},
         {"tags", "list<string>"},
         {"x", "float64"},
         {"ok", "bool"},
         {"raw", "binary"},
         {"day", "date"}},
        -1}},
  };
  return *tables;
}

}  // namespace

Result<SourcePtr> KnownTable::Make(const Json& spec, const FormatContext&, Diagnostics& errors) {
  auto made = std::make_shared<KnownTable>();
  made->csv_ = spec.contains("csv");
  for (const auto& [key, value] : spec.items()) {
    if (key == "table" || key == "csv" || key == "push" || (made->csv_ && key == "provenance")) continue;
    errors.Add({.message = fmt::format("unknown key \"{}\"", key), .pointer = PointerJoin("", key), .at_key = true});
  }
  made->name_ = spec[made->kind()].get<std::string>();
  auto table = Tables().find(made->name_);
  if (table == Tables().end()) errors.Add(PointerJoin("", made->kind()), fmt::format("no table \"{}\"", made->name_));
  if (!errors.empty()) return errors.ToStatus();
  made->push_ = spec.value("push", true);
  made->provenance_ = spec.value("provenance", false);
  made->rows_ = table->second.rows;
  arrow::FieldVector fields;
  for (const Column& column : table->second.columns)
    fields.push_back(arrow::field(column.name, MUTIRAO_MUST(ParseType(column.type))));
  if (made->provenance_) {
    fields.push_back(arrow::field(kSourceColumn, arrow::utf8()));
    fields.push_back(arrow::field(kMemberColumn, arrow::utf8()));
    fields.push_back(arrow::field(kLineColumn, arrow::int64()));
    fields.push_back(arrow::field(kByteOffsetColumn, arrow::int64()));
    fields.push_back(arrow::field(kRawColumn, arrow::binary()));
  }
  made->schema_ = arrow::schema(std::move(fields));
  return made;
}

Json KnownTable::ToJson() const {
  Json json = {{kind(), name_}};
  if (provenance_) json["provenance"] = true;
  if (!push_) json["push"] = false;
  return json;
}

bool KnownTable::CanPush(const Expr& predicate) const {
  static const std::vector<std::string> kTaken = {
      "=", "<>", "<", "<=", ">", ">=", "in", "between", "is_null", "and", "or", "not"};
  if (predicate.kind() == ExprKind::kColumn || predicate.kind() == ExprKind::kLiteral) return push_;
  if (predicate.kind() != ExprKind::kCall) return false;
  if (std::find(kTaken.begin(), kTaken.end(), predicate.name()) == kTaken.end()) return false;
  return push_ && std::all_of(predicate.args().begin(), predicate.args().end(),
                              [&](const ExprPtr& arg) { return CanPush(*arg); });
}

const FormatRegistry& KnownFormats() {
  static const auto* registry = [] {
    auto* made = new FormatRegistry();
    auto takes = [](const char* kind) { return Json{{"type", "object"}, {"required", {kind}}}; };
    made->AddSource("table", KnownTable::Make, takes("table"));
    made->AddSource("csv", KnownTable::Make, takes("csv"));
    made->AddSink(
        "nowhere",
        [](const Json& spec, SchemaPtr schema, const FormatContext&, Diagnostics&) -> Result<SinkPtr> {
          return std::make_shared<NowhereSink>(spec["nowhere"].get<std::string>(), std::move(schema));
        },
        takes("nowhere"));
    return made;
  }();
  return *registry;
}

std::string BuiltFrames::Faults() const {
  std::string text;
  for (const Diagnostic& fault : errors.list()) {
    text += fault.pointer;
    if (fault.at_key) text += " (key)";
    if (fault.span.begin != fault.span.end) text += fmt::format(" [{},{})", fault.span.begin, fault.span.end);
    text += ": " + fault.message;
    if (!fault.help.empty()) text += "; " + fault.help;
    text += '\n';
  }
  return text;
}

std::string BuiltFrames::Explained(const std::string& name) const {
  auto plan = plans.find(name);
  return plan == plans.end() ? Faults() : ExplainPlan({plan->second});
}

BuiltFrames BuildFromYaml(std::string_view yaml, const Parameters* parameters) {
  BuiltFrames built{MUTIRAO_MUST(Document::Parse("frames.yaml", std::string(yaml))), {}, {}};
  FramesContext context{.registry = &KnownFormats(), .parameters = parameters};
  built.plans = BuildFrames(built.document.value(), "", context, built.errors).plans;
  return built;
}

PlanPtr PlanOf(std::string_view table, std::string_view steps) {
  BuiltFrames built = BuildFromYaml(fmt::format("out:\n  read: {{table: {}}}\n  steps:\n{}\n", table, steps));
  if (!built.errors.empty()) internal::DieOfFailedCheck(__FILE__, __LINE__, "the frame has faults", built.Faults());
  return built.plans.at("out");
}

}  // namespace mutirao::frame
