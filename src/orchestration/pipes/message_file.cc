#include "orchestration/pipes/message_file.h"

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

#include <fmt/format.h>

namespace mutirao::orchestration::pipes {
namespace {

// A program that writes faster than its messages are read must not keep its standard streams waiting.
constexpr size_t kBytesAPoll = 4 << 20;

}  // namespace

Result<MessageFile> MessageFile::Make(std::string path, Session& session) {
  const int fd = open(path.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
  if (fd < 0) {
    const std::string what = fmt::format("cannot make {}: {}", path, strerror(errno));
    return errno == EEXIST ? Status::AlreadyExists(what) : Status::Io(what);
  }
  return MessageFile(std::move(path), fd, session);
}

MessageFile::MessageFile(std::string path, int fd, Session& session)
    : path_(std::move(path)),
      fd_(fd),
      cutter_(std::make_unique<LineCutter>(kLongestMessage,
                                           [&session](const LineCutter::Line& line) { session.TakeLine(line); })) {}

MessageFile::MessageFile(MessageFile&& other) noexcept
    : path_(std::move(other.path_)), fd_(std::exchange(other.fd_, -1)), cutter_(std::move(other.cutter_)) {}

MessageFile::~MessageFile() {
  if (fd_ < 0) return;
  close(fd_);
  unlink(path_.c_str());
}

Json MessageFile::Parameter() const {
  return {{"path", path_}, {"include_stdio_in_messages", false}};
}

Status MessageFile::Poll() {
  return ReadUpTo(kBytesAPoll).status();
}

Result<bool> MessageFile::ReadUpTo(size_t bytes) {
  char buffer[65536];
  for (size_t done = 0; done < bytes;) {
    const ssize_t got = read(fd_, buffer, sizeof(buffer));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return Status::Io(fmt::format("reading {}: {}", path_, strerror(errno)));
    if (got == 0) return true;
    cutter_->Add(std::string_view(buffer, static_cast<size_t>(got)));
    done += static_cast<size_t>(got);
  }
  return false;
}

Status MessageFile::Finish() {
  while (true) {
    const bool at_end = MUTIRAO_TRY(ReadUpTo(kBytesAPoll));
    if (at_end) break;
  }
  cutter_->Finish();
  return Status::Ok();
}

}  // namespace mutirao::orchestration::pipes
