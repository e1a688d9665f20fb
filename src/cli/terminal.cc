#include "cli/terminal.h"

#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include <fmt/format.h>

#include "base/log.h"

namespace mutirao::cli {
namespace {

bool ColourFor(const std::string& choice, int fd) {
  if (choice == "always") return true;
  if (choice == "never") return false;
  const char* no_color = std::getenv("NO_COLOR");
  const char* term = std::getenv("TERM");
  if (no_color != nullptr && *no_color != '\0') return false;
  if (term != nullptr && std::string_view(term) == "dumb") return false;
  return isatty(fd) != 0;
}

// Gives what went wrong, as errno has it; 0 when all is written.
int WriteAll(int fd, std::string_view text) {
  while (!text.empty()) {
    const ssize_t written = write(fd, text.data(), text.size());
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) return written < 0 ? errno : EIO;
    text.remove_prefix(static_cast<size_t>(written));
  }
  return 0;
}

}  // namespace

void Terminal::Settle() {
  err_is_terminal_ = isatty(STDERR_FILENO) != 0;
  err_colour_ = ColourFor(color, STDERR_FILENO);
  out_colour_ = ColourFor(color, STDOUT_FILENO);
  SetLogLevel(verbose > 1 ? LogLevel::kDebug : verbose > 0 ? LogLevel::kInfo : LogLevel::kWarning);
}

void Terminal::Say(std::string_view line) const {
  if (!quiet) SayAlways(line);
}

void Terminal::SayAlways(std::string_view line) const {
  WriteAll(STDERR_FILENO, Redactor::Global().Mask(line) + "\n");
}

void Terminal::Warn(std::string_view text) const {
  Say(fmt::format("{}: {}", Paint("1;33", "warning"), text));
}

void Terminal::Fail(const Status& status) const {
  if (json) {
    Json error;
    error["error"]["code"] = StatusCodeName(status.code());
    error["error"]["message"] = Redactor::Global().Mask(status.ToString());
    error["error"]["help"] = status.help();
    PrintJson(error);
    return;
  }
  SayAlways(fmt::format("{}: {}", Paint("1;31", "error"), status.ToString()));
  if (!status.help().empty()) SayAlways(fmt::format("{}: {}", Paint("32", "help"), status.help()));
  if (status.code() == StatusCode::kInternal)
    SayAlways("note: this is a bug of mutirao; please report it with the job");
}

void Terminal::Fail(const std::vector<orchestration::ConfigFault>& faults) const {
  if (json) {
    Json errors;
    errors["errors"] = Json::array();
    for (const orchestration::ConfigFault& fault : faults) errors["errors"].push_back(FaultToJson(fault));
    PrintJson(errors);
    return;
  }
  std::string text;
  for (const orchestration::ConfigFault& fault : faults) {
    if (!text.empty()) text += '\n';
    text += RenderFault(fault, err_colour_);
  }
  WriteAll(STDERR_FILENO, Redactor::Global().Mask(text));
  if (faults.size() > 1) SayAlways(fmt::format("\n{} errors", faults.size()));
}

void Terminal::Fail(const Status& status, const std::vector<orchestration::ConfigFault>& faults) const {
  faults.empty() ? Fail(status) : Fail(faults);
}

bool Terminal::Print(std::string_view data) const {
  if (print_errno_ == 0) print_errno_ = WriteAll(STDOUT_FILENO, data);
  return print_errno_ == 0;
}

Status Terminal::printed() const {
  // A reader that has enough, such as head, is no failure.
  if (print_errno_ == 0 || print_errno_ == EPIPE) return Status::Ok();
  return Status::Io(fmt::format("cannot write to stdout: {}", std::strerror(print_errno_)));
}

void Terminal::PrintJson(const Json& value) const {
  Print(Redactor::Global().MaskTexts(value).dump(2, ' ', false, Json::error_handler_t::replace) + "\n");
}

std::string Terminal::Paint(std::string_view code, std::string_view text) const {
  return err_colour_ ? fmt::format("\x1b[{}m{}\x1b[0m", code, text) : std::string(text);
}

}  // namespace mutirao::cli
