#include "orchestration/pipes/client/stdio_capture.h"

#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstdio>
#include <iostream>
#include <thread>

#include <fmt/format.h>

namespace mutirao::pipes {

struct StdioCapture::Stream {
  int fd = -1;        // 1 or 2
  int original = -1;  // where it went
  int pipe = -1;
  std::atomic<bool> stopping{false};
  std::thread reader;
};

namespace {

void CopyTo(int fd, std::string_view text) {
  while (!text.empty()) {
    const ssize_t sent = write(fd, text.data(), text.size());
    if (sent < 0 && errno == EINTR) continue;
    if (sent <= 0) return;  // nobody reads it there; the message goes on
    text.remove_prefix(static_cast<size_t>(sent));
  }
}

}  // namespace

Result<std::unique_ptr<StdioCapture>> StdioCapture::Start(Take take) {
  std::unique_ptr<StdioCapture> capture(new StdioCapture());
  capture->take_ = std::move(take);
  for (int fd : {1, 2}) MUTIRAO_TRY(capture->Redirect(fd));
  return capture;
}

Status StdioCapture::Redirect(int fd) {
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0) return Status::Io(fmt::format("cannot make a pipe: {}", strerror(errno)));
  auto stream = std::make_unique<Stream>();
  stream->fd = fd;
  stream->pipe = ends[0];
  stream->original = fcntl(fd, F_DUPFD_CLOEXEC, 3);
  std::fflush(nullptr);
  if (stream->original < 0 || dup2(ends[1], fd) < 0) {
    const int problem = errno;
    for (int open : {ends[0], ends[1], stream->original}) {
      if (open >= 0) close(open);
    }
    return Status::Io(fmt::format("cannot capture descriptor {}: {}", fd, strerror(problem)));
  }
  close(ends[1]);
  fcntl(ends[0], F_SETFL, O_NONBLOCK);
  stream->reader = std::thread([this, raw = stream.get()] {
    char buffer[8192];
    while (true) {
      const ssize_t got = read(raw->pipe, buffer, sizeof(buffer));
      if (got > 0) {
        const std::string_view text(buffer, static_cast<size_t>(got));
        CopyTo(raw->original, text);
        take_(raw->fd == 2, text);
        continue;
      }
      if (got == 0 || (errno != EAGAIN && errno != EINTR)) return;
      if (raw->stopping) return;  // empty: what a child still writes is not waited for
      pollfd wait{raw->pipe, POLLIN, 0};
      poll(&wait, 1, 20);
    }
  });
  streams_[fd - 1] = std::move(stream);
  return Status::Ok();
}

void StdioCapture::Stop() {
  std::cout.flush();
  std::cerr.flush();
  std::fflush(nullptr);
  for (std::unique_ptr<Stream>& stream : streams_) {
    if (!stream) continue;
    dup2(stream->original, stream->fd);
    stream->stopping = true;
    stream->reader.join();
    close(stream->pipe);
    close(stream->original);
    stream.reset();
  }
}

StdioCapture::~StdioCapture() {
  Stop();
}

}  // namespace mutirao::pipes
