#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <mutirao/status.h>

namespace mutirao::storage {

/// A stored object and what is known of it without reading it.
struct ObjectInfo {
  std::string uri;
  int64_t size = 0;
  /// Changes when the content does: modification time and size for files, an ETag for objects.
  std::string version;
};

/// How an object's bytes will be read.
struct Reading {
  /// Of what is read from front to back, the part at the front that may stay in the page cache; 1: all.
  double cached_share = 1;
};

/// Bytes that can be read at any place. Threads: any, at once.
///
/// An object must not change while it is read; ObjectInfo::version tells afterwards whether it did. A file that another
/// program cuts short while it is mapped ends this process by SIGBUS, as for every program that maps files.
class Object {
 public:
  virtual ~Object() = default;
  virtual int64_t size() const = 0;
  virtual const std::string& uri() const = 0;
  /// Read up to out.size() bytes at `offset`; gives how many, less only at the end.
  virtual Result<int64_t> ReadAt(int64_t offset, std::span<std::byte> out) const = 0;
  /// The whole content mapped into memory when the store can; empty otherwise. Lives as long as the Object.
  virtual std::span<const std::byte> Mapped() const { return {}; }
};

/// A place where bytes live. One implementation a scheme; `file:` and plain paths are local.
class Store {
 public:
  virtual ~Store() = default;
  /// Objects that match a path or glob (`*`, `?`, `[a-z]`, `{a,b}`, `**` for folders), sorted by name. A pattern
  /// without wildcards that names a folder gives its files, hidden ones (`.x`, `_x`) left out, at any depth. A path
  /// that exists is taken literally, whatever characters it has. `*` and `?` match no leading dot, `**` enters no
  /// hidden folder. Errors: kNotFound when nothing matches, with the nearest existing name in help(); kInvalid for what
  /// is neither file nor folder; kIo.
  virtual Result<std::vector<ObjectInfo>> List(const std::string& pattern) const = 0;
  virtual Result<std::unique_ptr<Object>> Open(const std::string& uri, Reading reading) const = 0;
  Result<std::unique_ptr<Object>> Open(const std::string& uri) const { return Open(uri, {}); }
};

/// The store that serves a URI. Errors: kUnsupported for schemes this build has no store for, listing those it has.
Result<const Store*> StoreFor(std::string_view uri);

/// Join a base folder and a path; absolute paths and URIs with a scheme stay as they are.
std::string ResolvePath(const std::string& base_dir, const std::string& path);

}  // namespace mutirao::storage
