#include "orchestration/store/postgres/postgres_location.h"

#include <algorithm>
#include <memory>

#include "base/log.h"
#include "orchestration/store/postgres/libpq.h"

namespace mutirao::orchestration {
namespace {

using namespace libpq;

constexpr std::string_view kPrefix = "postgresql:";

struct FreeOptions {
  void operator()(PQconninfoOption* options) const { PQconninfoFree(options); }
};

Status Wrong(const char* what) {
  return Status::Invalid(std::string("the store's location is not a valid one of PostgreSQL: ") + what)
      .Help("write postgresql://user@host:5432/database; in a password, : / @ and % are %3A %2F %40 %25");
}

// "5432", or one for each of several hosts.
bool IsPort(std::string_view text) {
  return std::ranges::all_of(text, [](char c) { return (c >= '0' && c <= '9') || c == ','; });
}

}  // namespace

bool IsPostgresLocation(std::string_view uri) {
  return uri.starts_with(kPrefix) || uri.starts_with("postgres://");
}

Result<std::string> ParsePostgresLocation(std::string_view uri) {
  MUTIRAO_TRY(library.Load());
  std::string conninfo(uri);
  if (uri.starts_with(kPrefix) && !uri.starts_with("postgresql://")) conninfo = uri.substr(kPrefix.size());
  // libpq's own message repeats the text that it stumbled over.
  std::unique_ptr<PQconninfoOption, FreeOptions> options(PQconninfoParse(conninfo.c_str(), nullptr));
  if (!options) return Wrong("it cannot be taken apart");
  for (const PQconninfoOption* option = options.get(); option->keyword != nullptr; ++option) {
    const std::string_view keyword = option->keyword;
    const std::string_view value = option->val != nullptr ? option->val : "";
    if (keyword == "password") Redactor::Global().Add(value);
    // What a password with a bare : / or @ leaves behind.
    if (keyword == "port" && !IsPort(value)) return Wrong("its port is not a number");
    const bool names_place = keyword == "host" || keyword == "dbname" || keyword == "hostaddr";
    if (names_place && value.find('@') != std::string_view::npos) return Wrong("there is a second @");
  }
  return conninfo;
}

}  // namespace mutirao::orchestration
