#include "orchestration/pipes/client/default_transport.h"

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include <cerrno>
#include <fstream>
#include <sstream>

#include <fmt/format.h>

#include "base/json.h"

namespace mutirao::pipes {
namespace {

using Json = mutirao::Json;

class FileOrInlineLoader : public ContextLoader {
 public:
  Result<std::string> Load(const std::string& parameter) override {
    Json json = MUTIRAO_TRY(ParseJson(parameter));
    if (json.is_object() && json.contains("path") && json["path"].is_string()) {
      const std::string path = json["path"].get<std::string>();
      std::ifstream file(path, std::ios::binary);
      std::ostringstream text;
      text << file.rdbuf();
      if (!file) return Status::Io(fmt::format("cannot read the context in {}", path));
      return text.str();
    }
    if (json.is_object() && json.contains("data")) return json["data"].dump();
    return Status::Unsupported("the context is in a store that this program does not know")
        .Help("give the session a context_loader");
  }
};

// Writes a part of a line that may be left from before, then goes on.
Status WriteWhole(int fd, std::string_view line, size_t* done, const std::string& where) {
  while (*done < line.size()) {
    const ssize_t sent = write(fd, line.data() + *done, line.size() - *done);
    if (sent < 0 && errno == EINTR) continue;
    if (sent < 0) return Status::Io(fmt::format("writing to {}: {}", where, strerror(errno)));
    *done += static_cast<size_t>(sent);
  }
  *done = 0;
  return Status::Ok();
}

class DefaultWriter : public MessageWriter {
 public:
  ~DefaultWriter() override {
    if (fd_ >= 0) close(fd_);
  }

  Status Open(const std::string& parameter) override {
    Json json = MUTIRAO_TRY(ParseJson(parameter));
    auto text = [&](const char* key) {
      return json.is_object() && json.contains(key) && json[key].is_string() ? json[key].get<std::string>() : "";
    };
    path_ = text("path");
    if (!path_.empty()) return Status::Ok();
    buffered_ = text("stdio").empty();
    const std::string stream = buffered_ ? text("buffered_stdio") : text("stdio");
    if (stream != "stdout" && stream != "stderr") {
      return Status::Unsupported("messages go to a store that this program does not know")
          .Help("give the session a message_writer");
    }
    // A descriptor of its own, so that capturing the stream does not capture the messages.
    fd_ = fcntl(stream == "stdout" ? 1 : 2, F_DUPFD_CLOEXEC, 3);
    return fd_ >= 0 ? Status::Ok() : Status::Io(fmt::format("{}: {}", stream, strerror(errno)));
  }

  Status Write(std::string_view line) override {
    if (buffered_) {
      buffer_ += line;
      return Status::Ok();
    }
    if (path_.empty()) return WriteWhole(fd_, line, &done_, "the standard stream");
    const int fd = open(path_.c_str(), O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
    if (fd < 0) return Status::Io(fmt::format("cannot open {}: {}", path_, strerror(errno)));
    Status status = WriteWhole(fd, line, &done_, path_);
    close(fd);
    return status;
  }

  Status Finish() override {
    if (buffer_.empty()) return Status::Ok();
    MUTIRAO_TRY(WriteWhole(fd_, buffer_, &done_, "the standard stream"));
    buffer_.clear();
    return Status::Ok();
  }

 private:
  std::string path_;
  int fd_ = -1;
  bool buffered_ = false;
  std::string buffer_;
  size_t done_ = 0;  // of the line that failed half-way
};

}  // namespace

std::shared_ptr<ContextLoader> DefaultContextLoader() {
  return std::make_shared<FileOrInlineLoader>();
}

std::shared_ptr<MessageWriter> DefaultMessageWriter() {
  return std::make_shared<DefaultWriter>();
}

}  // namespace mutirao::pipes
