#include "storage/storage.h"

#include <cctype>

#include "base/percent_encoding.h"
#include "storage/local_path.h"
#include "storage/local_store.h"

namespace mutirao::storage {
namespace {

Status NoStoreFor(std::string_view uri, const std::string& scheme) {
  return Status::Unsupported("there is no storage for " + scheme + ": URIs (" + std::string(uri) + ")")
      .Help("this build reads and writes local paths and file: URIs");
}

}  // namespace

std::string SchemeOf(std::string_view uri) {
  size_t colon = uri.find(':');
  // One letter would be a drive; a slash before the colon makes it part of a path.
  if (colon == std::string_view::npos || colon < 2) return "";
  for (size_t i = 0; i < colon; ++i) {
    auto c = static_cast<unsigned char>(uri[i]);
    bool allowed = std::isalpha(c) || (i > 0 && (std::isdigit(c) || c == '+' || c == '-' || c == '.'));
    if (!allowed) return "";
  }
  // "name:rest" is a file name unless it is ours or looks like a URI.
  std::string scheme(uri.substr(0, colon));
  if (scheme != "file" && uri.substr(colon, 3) != "://") return "";
  return scheme;
}

Result<std::string> LocalPath(std::string_view uri) {
  std::string scheme = SchemeOf(uri);
  if (scheme.empty()) return std::string(uri);
  if (scheme != "file") return NoStoreFor(uri, scheme);
  std::string_view rest = uri.substr(5);
  if (rest.substr(0, 2) == "//") {
    rest.remove_prefix(2);
    std::string_view host = rest.substr(0, rest.find('/'));
    if (!host.empty() && host != "localhost") {
      return Status::Invalid("file: URI names another host: " + std::string(uri))
          .Help("write file:///path for a file of this machine");
    }
    rest.remove_prefix(host.size());
  }
  return PercentDecode(rest);
}

Result<const Store*> StoreFor(std::string_view uri) {
  std::string scheme = SchemeOf(uri);
  if (scheme.empty() || scheme == "file") return LocalStore();
  return NoStoreFor(uri, scheme);
}

std::string ResolvePath(const std::string& base_dir, const std::string& path) {
  if (base_dir.empty() || path.empty() || path[0] == '/' || !SchemeOf(path).empty()) return path;
  return base_dir.back() == '/' ? base_dir + path : base_dir + "/" + path;
}

}  // namespace mutirao::storage
