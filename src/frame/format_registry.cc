#include "frame/format_registry.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace mutirao::frame {
namespace {

template <typename Factories>
std::vector<std::string> KeysOf(const Factories& factories) {
  std::vector<std::string> keys;
  for (const auto& [kind, factory] : factories) keys.push_back(kind);
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
  return Fault(errors,
               {.message = "no format is named", .help = fmt::format("one of these keys: {}", fmt::join(kinds, ", "))});
}

// The factory for the one key of `spec` that names a registered kind.
template <typename Factories>
Result<typename Factories::const_iterator> FindKind(const Factories& factories, const Json& spec, Diagnostics& errors) {
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
  source_schemas_[kind] = std::move(schema);
  sources_[std::move(kind)] = std::move(factory);
}

void FormatRegistry::AddSink(std::string kind, SinkFactory factory, Json schema) {
  sink_schemas_[kind] = std::move(schema);
  sinks_[std::move(kind)] = std::move(factory);
}

Result<SourcePtr> FormatRegistry::MakeSource(const Json& spec, const FormatContext& context,
                                             Diagnostics& errors) const {
  auto found = MUTIRAO_TRY(FindKind(sources_, spec, errors));
  size_t faults = errors.size();
  return WithDiagnostic(found->second(spec, context, errors), found->first, faults, errors);
}

Result<SinkPtr> FormatRegistry::MakeSink(const Json& spec, SchemaPtr schema, const FormatContext& context,
                                         Diagnostics& errors) const {
  auto found = MUTIRAO_TRY(FindKind(sinks_, spec, errors));
  size_t faults = errors.size();
  return WithDiagnostic(found->second(spec, std::move(schema), context, errors), found->first, faults, errors);
}

std::vector<std::string> FormatRegistry::SourceKinds() const {
  return KeysOf(sources_);
}
std::vector<std::string> FormatRegistry::SinkKinds() const {
  return KeysOf(sinks_);
}

Json FormatRegistry::SourceSchema(const std::string& kind) const {
  auto found = source_schemas_.find(kind);
  return found == source_schemas_.end() ? Json() : found->second;
}

Json FormatRegistry::SinkSchema(const std::string& kind) const {
  auto found = sink_schemas_.find(kind);
  return found == sink_schemas_.end() ? Json() : found->second;
}

}  // namespace mutirao::frame
