#include "frame/format_registry.h"

#include <algorithm>
#include <iterator>

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace mutirao::frame {
namespace {

// What a reader of other systems' manuals may look for.
constexpr const char* kElsewhere[] = {"avro", "dataset", "delta", "excel", "iceberg", "json", "orc", "sql", "xlsx"};

// Those with a schema: the others are not for users.
template <typename Kinds>
std::vector<std::string> KeysOf(const Kinds& kinds) {
  std::vector<std::string> keys;
  for (const auto& [name, kind] : kinds) {
    if (!kind.schema.is_null()) keys.push_back(name);
  }
  return keys;
}

Status Fault(Diagnostics& errors, Diagnostic fault) {
  Status status = Status::Invalid(fault.message).Help(fault.help);
  errors.Add(std::move(fault));
  return status;
}

Status NoKind(const Json& spec, const std::vector<std::string>& kinds, Diagnostics& errors) {
  for (const auto& [key, value] : spec.items()) {
    std::string help = DidYouMean(key, kinds);
    if (help.empty()) continue;
    return Fault(errors, {.message = fmt::format("\"{}\" is not a format", key),
                          .pointer = PointerJoin("", key),
                          .at_key = true,
                          .help = std::move(help)});
  }
  std::string help = fmt::format("this build has {}", fmt::join(kinds, ", "));
  for (const auto& [key, value] : spec.items()) {
    if (spec.size() > 1 && std::ranges::find(kElsewhere, key) == std::end(kElsewhere)) continue;
    return Fault(errors, {.message = fmt::format("\"{}\" is not a format of this build", key),
                          .pointer = PointerJoin("", key),
                          .at_key = true,
                          .help = std::move(help)});
  }
  return Fault(errors, {.message = "no format is named", .help = std::move(help)});
}

// The factory for the one key of `spec` that names a registered kind.
template <typename Kinds>
Result<typename Kinds::const_iterator> FindKind(const Kinds& factories, const Json& spec, Diagnostics& errors) {
  if (!spec.is_object()) {
    return Fault(errors, {.message = "expects a mapping",
                          .help = fmt::format("{{{}: …}}", fmt::join(KeysOf(factories), " | "))});
  }
  auto found = factories.end();
  for (const auto& [key, value] : spec.items()) {
    auto named = factories.find(key);
    if (named == factories.end()) continue;
    if (found != factories.end()) {
      return Fault(errors, {.message = fmt::format("both \"{}\" and \"{}\" name a format", found->first, key),
                            .pointer = PointerJoin("", key),
                            .at_key = true,
                            .help = "keep one of them"});
    }
    found = named;
  }
  if (found == factories.end()) return NoKind(spec, KeysOf(factories), errors);
  return found;
}

// A factory that fails without a diagnostic would leave the user without a place.
template <typename T>
Result<T> WithDiagnostic(Result<T> made, const std::string& kind, size_t faults_before, Diagnostics& errors) {
  if (!made.ok() && errors.size() == faults_before) {
    errors.Add({.message = made.status().ToString(), .pointer = PointerJoin("", kind), .help = made.status().help()});
  }
  return made;
}

}  // namespace

void FormatRegistry::AddSource(std::string kind, SourceFactory factory, Json schema) {
  sources_[std::move(kind)] = {std::move(factory), std::move(schema)};
}

void FormatRegistry::AddSink(std::string kind, SinkFactory factory, Json schema) {
  sinks_[std::move(kind)] = {std::move(factory), std::move(schema)};
}

Result<SourcePtr> FormatRegistry::MakeSource(const Json& spec, const FormatContext& context,
                                             Diagnostics& errors) const {
  auto found = MUTIRAO_TRY(FindKind(sources_, spec, errors));
  size_t faults = errors.size();
  return WithDiagnostic(found->second.make(spec, context, errors), found->first, faults, errors);
}

Result<SinkPtr> FormatRegistry::MakeSink(const Json& spec, SchemaPtr schema, const FormatContext& context,
                                         Diagnostics& errors) const {
  auto found = MUTIRAO_TRY(FindKind(sinks_, spec, errors));
  size_t faults = errors.size();
  return WithDiagnostic(found->second.make(spec, std::move(schema), context, errors), found->first, faults, errors);
}

std::vector<std::string> FormatRegistry::SourceKinds() const {
  return KeysOf(sources_);
}
std::vector<std::string> FormatRegistry::SinkKinds() const {
  return KeysOf(sinks_);
}

Json FormatRegistry::SourceSchema(const std::string& kind) const {
  auto found = sources_.find(kind);
  return found == sources_.end() ? Json() : found->second.schema;
}

Json FormatRegistry::SinkSchema(const std::string& kind) const {
  auto found = sinks_.find(kind);
  return found == sinks_.end() ? Json() : found->second.schema;
}

}  // namespace mutirao::frame
