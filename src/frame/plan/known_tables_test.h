#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "base/document.h"
#include "frame/format_registry.h"
#include "frame/plan/frames_builder.h"

namespace mutirao::frame {

/// A source of a few fixed tables without rows, for tests of plans: {"table": name} or {"csv": name}, the latter with
/// provenance. It takes every predicate made of comparisons, in, between, is null, and, or, not over columns and
/// literals; with "push": false none.
///
///     companies(cnpj_basico, razao_social, porte string; capital_social decimal(18,2); natureza int32)   1,000 rows
///     establishments(cnpj_basico, uf, situacao, data, cnaes string; municipio int64; score float64)      5,000 rows
///     towns(codigo int64; nome string)                                                                    100 rows
///     events(id int64; at timestamp; tags list<string>; x float64; ok bool; raw binary; day date)       not known
class KnownTable final : public Source {
 public:
  static Result<SourcePtr> Make(const Json& spec, const FormatContext& context, Diagnostics& errors);

  std::string kind() const override { return csv_ ? "csv" : "table"; }
  const SchemaPtr& schema() const override { return schema_; }
  Json ToJson() const override;
  std::string Describe() const override { return kind() + " " + name_; }
  bool CanPush(const Expr& predicate) const override;
  int64_t EstimatedRows() const override { return rows_; }
  Result<std::vector<Split>> Splits(int64_t) const override { return Status::Unsupported("a known table has no rows"); }
  Result<std::unique_ptr<Scan>> Open(const ScanRequest&, const ScanContext&) const override {
    return Status::Unsupported("a known table has no rows");
  }

 private:
  std::string name_;
  SchemaPtr schema_;
  int64_t rows_ = -1;
  bool csv_ = false;
  bool provenance_ = false;
  bool push_ = true;
};

/// A sink that takes any schema and writes nothing: {"nowhere": name}.
class NowhereSink final : public Sink {
 public:
  NowhereSink(std::string name, SchemaPtr schema) : name_(std::move(name)), schema_(std::move(schema)) {}
  std::string kind() const override { return "nowhere"; }
  const SchemaPtr& schema() const override { return schema_; }
  Json ToJson() const override { return {{"nowhere", name_}}; }
  std::string Describe() const override { return "nowhere " + name_; }
  std::string target() const override { return name_; }
  Result<std::string> Begin(const std::string&) const override { return Status::Unsupported("nowhere"); }
  Result<std::unique_ptr<SinkWriter>> Open(const SinkContext&) const override { return Status::Unsupported("nowhere"); }
  Status Publish(const std::string&, const std::vector<PartInfo>&) const override {
    return Status::Unsupported("nowhere");
  }
  void Discard(const std::string&) const override {}

 private:
  std::string name_;
  SchemaPtr schema_;
};

/// The registry of "table", "csv" and "nowhere".
const FormatRegistry& KnownFormats();

/// Frames built from YAML text over the known tables.
struct BuiltFrames {
  Document document;
  std::map<std::string, PlanPtr> plans;
  Diagnostics errors;

  /// Each fault as "pointer [begin,end): message; help", one a line.
  std::string Faults() const;
  /// The explained plan of a frame, or the faults when there is none.
  std::string Explained(const std::string& name) const;
};

BuiltFrames BuildFromYaml(std::string_view yaml, const Parameters* parameters = nullptr);

/// The plan of the only frame of a YAML text with these steps over a known table; ends the test program on faults.
PlanPtr PlanOf(std::string_view table, std::string_view steps);

}  // namespace mutirao::frame
