#pragma once

#include <atomic>
#include <cstdint>
#include <string>

#include <mutirao/status.h>

namespace mutirao::engine {

/// Make the files into which a run sets aside what does not fit into memory.
///
/// The files have no names (O_TMPFILE, or unlinked as soon as they are made): they are gone with the process however
/// it ends, so no run has to look for what another one left.
///
/// Threads: any.
class SpillPlace {
 public:
  /// `folder` is made when the first file is, if it is not there; empty: DefaultSpillFolder().
  explicit SpillPlace(std::string folder);
  /// The same folder, counting what goes there by this way; it counts for the whole too, which must outlive it.
  explicit SpillPlace(SpillPlace* whole) : folder_(whole->folder_), whole_(whole) {}

  const std::string& folder() const { return folder_; }

  /// Find out early whether files can be made there. Errors: kInvalid for what is no folder or cannot be written.
  Status Check() const;

  /// Open an unnamed file for reading and writing, and give its descriptor. Errors: kExhausted, kIo with a help that
  /// says how to choose another folder.
  Result<int> MakeFile();

  /// Tell a failed call on a spill file. `error` is an errno value.
  Status Failure(std::string_view doing, int error) const;

  /// Bytes written so far, over all files.
  int64_t bytes_written() const { return bytes_written_; }
  void AddBytes(int64_t bytes) {
    bytes_written_ += bytes;
    if (whole_ != nullptr) whole_->AddBytes(bytes);
  }

 private:
  const std::string folder_;
  SpillPlace* const whole_ = nullptr;
  std::atomic<int64_t> bytes_written_{0};
};

/// $TMPDIR where it is set, else /var/tmp: /tmp is memory on many systems.
std::string DefaultSpillFolder();

}  // namespace mutirao::engine
