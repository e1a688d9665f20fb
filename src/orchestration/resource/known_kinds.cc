#include "orchestration/resource/known_kinds.h"

#include "orchestration/resource/http_kind.h"
#include "orchestration/resource/postgres_kind.h"
#include "orchestration/resource/process_kind.h"
#include "orchestration/resource/secret_kind.h"

namespace mutirao::orchestration {

void AddBuiltinResourceKinds(ResourceKinds& kinds) {
  kinds.Add(MakeHttpKind());
  kinds.Add(MakePostgresKind());
  kinds.Add(MakeProcessKind());
  kinds.Add(MakeSecretKind());
}

ResourceKinds& KnownResourceKinds() {
  static ResourceKinds& kinds = *[] {
    auto* made = new ResourceKinds;  // lives as long as threads may use it
    AddBuiltinResourceKinds(*made);
    return made;
  }();
  return kinds;
}

}  // namespace mutirao::orchestration
