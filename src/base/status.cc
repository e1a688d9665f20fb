#include <cstdio>
#include <cstdlib>

#include <mutirao/status.h>

namespace mutirao {
namespace {
const std::string kNoText;
}

std::string_view StatusCodeName(StatusCode code) {
  switch (code) {
    case StatusCode::kOk:
      return "ok";
    case StatusCode::kInvalid:
      return "invalid";
    case StatusCode::kNotFound:
      return "not found";
    case StatusCode::kAlreadyExists:
      return "already exists";
    case StatusCode::kIo:
      return "i/o";
    case StatusCode::kUnavailable:
      return "unavailable";
    case StatusCode::kCancelled:
      return "cancelled";
    case StatusCode::kDeadline:
      return "deadline";
    case StatusCode::kExhausted:
      return "exhausted";
    case StatusCode::kUnsupported:
      return "unsupported";
    case StatusCode::kFailed:
      return "failed";
    case StatusCode::kInternal:
      return "internal";
  }
  return "unknown";
}

Status::Status(StatusCode code, std::string message) {
  if (code != StatusCode::kOk) state_ = std::make_unique<State>(State{code, std::move(message), {}, {}});
}

Status::Status(const Status& other) : state_(other.state_ ? std::make_unique<State>(*other.state_) : nullptr) {}

Status& Status::operator=(const Status& other) {
  if (this != &other) state_ = other.state_ ? std::make_unique<State>(*other.state_) : nullptr;
  return *this;
}

const std::string& Status::message() const {
  return state_ ? state_->message : kNoText;
}

const std::string& Status::help() const {
  return state_ ? state_->help : kNoText;
}

std::string Status::ToString() const {
  if (ok()) return "ok";
  std::string text;
  for (auto it = state_->context.rbegin(); it != state_->context.rend(); ++it) text += *it + ": ";
  return text + state_->message;
}

Status&& Status::Context(std::string_view context) && {
  if (state_) state_->context.emplace_back(context);
  return std::move(*this);
}

Status Status::Context(std::string_view context) const& {
  Status copy = *this;
  return std::move(copy).Context(context);
}

Status&& Status::Help(std::string help) && {
  if (state_) state_->help = std::move(help);
  return std::move(*this);
}

namespace internal {

void DieOfFailedCheck(const char* file, int line, const char* what, const std::string& detail) {
  std::fprintf(stderr, "mutirao: internal error at %s:%d: %s%s%s\n", file, line, what, detail.empty() ? "" : ": ",
               detail.c_str());
  std::fflush(stderr);
  std::abort();
}

}  // namespace internal
}  // namespace mutirao
