#pragma once

#include <functional>
#include <map>
#include <string>
#include <vector>

#include "base/diagnostic.h"
#include "base/json.h"
#include "frame/sink.h"
#include "frame/source.h"

namespace mutirao::frame {

/// What a factory may ask of its surroundings.
struct FormatContext {
  /// Relative paths are taken from here.
  std::string base_dir;
  /// Names of user layouts → their JSON documents.
  std::function<Result<Json>(const std::string& name)> find_layout;
};

/// Makes sources and sinks from their JSON specs: the seam by which plan and engine stay free of formats.
///
/// A source spec is the mapping under `read:` ({"csv": "data/*.zip", "layout": "cnpj/empresas", …}); its kind is the
/// one key that names a registered source. A sink spec is an entry of `write:` without `frame`
/// ({"parquet": "out", "mode": "overwrite", …}). Both also take what Source::ToJson / Sink::ToJson gave.
///
/// Errors: every fault of a spec is added to `errors` with a pointer relative to the spec ("/encoding"), unknown keys
/// with a did-you-mean; the Status is then kInvalid.
/// Threads: filled before use, then read-only.
class FormatRegistry {
 public:
  using SourceFactory = std::function<Result<SourcePtr>(const Json& spec, const FormatContext&, Diagnostics& errors)>;
  using SinkFactory =
      std::function<Result<SinkPtr>(const Json& spec, SchemaPtr schema, const FormatContext&, Diagnostics& errors)>;

  /// `schema` is the JSON Schema (draft 7) of the spec, for editors. A kind without one is met in plans only: users are
  /// not told of it.
  void AddSource(std::string kind, SourceFactory factory, Json schema = {});
  void AddSink(std::string kind, SinkFactory factory, Json schema = {});

  Result<SourcePtr> MakeSource(const Json& spec, const FormatContext& context, Diagnostics& errors) const;
  Result<SinkPtr> MakeSink(const Json& spec, SchemaPtr schema, const FormatContext& context, Diagnostics& errors) const;

  /// The kinds that users are told of.
  std::vector<std::string> SourceKinds() const;
  std::vector<std::string> SinkKinds() const;

  /// What AddSource or AddSink was given; null when nothing.
  Json SourceSchema(const std::string& kind) const;
  Json SinkSchema(const std::string& kind) const;

 private:
  template <typename Factory>
  struct Kind {
    Factory make;
    Json schema;
  };
  std::map<std::string, Kind<SourceFactory>> sources_;
  std::map<std::string, Kind<SinkFactory>> sinks_;
};

}  // namespace mutirao::frame
