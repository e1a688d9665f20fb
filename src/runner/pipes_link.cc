#include "runner/pipes_link.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>

#include <fmt/format.h>

#include "base/log.h"
#include "orchestration/pipes/bootstrap.h"
#include "orchestration/pipes/context.h"
#include "orchestration/run/event.h"
#include "storage/storage.h"

namespace mutirao::runner {
namespace {

namespace fs = std::filesystem;
namespace pipes = orchestration::pipes;
using orchestration::OutputStream;
using Silence = PipesSettings::Silence;

OutputStream CarrierOf(PipesSettings::Messages messages) {
  return messages == PipesSettings::Messages::kStdout ? OutputStream::kOut : OutputStream::kErr;
}

bool IsDataset(const Json& value) {
  return value.is_object() && value.contains("uri") && value["uri"].is_string() && value.contains("format") &&
         value["format"].is_string();
}

}  // namespace

PipesLink::PipesLink(const orchestration::LoadedJob& job, const orchestration::OpDef& op, const BoundCommand& command,
                     const orchestration::OpAttempt& attempt, orchestration::OpOutput& output, RunEvents& events)
    : job_(job),
      op_(op),
      command_(command),
      attempt_(attempt),
      output_(output),
      events_(events),
      session_([this](const pipes::Message& message) { return Take(message); }) {}

Result<std::unique_ptr<PipesLink>> PipesLink::Make(const orchestration::LoadedJob& job, const orchestration::OpDef& op,
                                                   const BoundCommand& command, const orchestration::OpAttempt& attempt,
                                                   orchestration::OpOutput& output, RunEvents& events) {
  std::unique_ptr<PipesLink> link(new PipesLink(job, op, command, attempt, output, events));
  MUTIRAO_TRY(link->MakeFolder());
  MUTIRAO_TRY(link->WriteContext());
  if (command.pipes.messages == PipesSettings::Messages::kFile) {
    pipes::MessageFile file = MUTIRAO_TRY(pipes::MessageFile::Make(link->folder_ + "/messages", link->session_));
    link->file_.emplace(std::move(file));
  } else {
    link->stream_.emplace(pipes::kLongestMessage, [raw = link.get()](const pipes::LineCutter::Line& line) {
      if (raw->session_.TakeStreamLine(line)) return;
      const OutputStream stream = CarrierOf(raw->command_.pipes.messages);
      raw->output_.Add(stream, line.text);
      if (line.ended) raw->output_.Add(stream, "\n");
    });
  }
  return link;
}

PipesLink::~PipesLink() {
  file_.reset();
  std::error_code ignored;  // what stays is in a folder that only this user can enter
  if (!folder_.empty()) fs::remove_all(folder_, ignored);
}

Status PipesLink::MakeFolder() {
  std::error_code error;
  const std::string parent = attempt_.folder.empty() ? fs::temp_directory_path(error).string() : attempt_.folder;
  std::string path = parent + "/mutirao-pipes-XXXXXX";
  if (error || mkdtemp(path.data()) == nullptr) {
    return Status::Io(fmt::format("cannot make a folder in {}: {}", parent, strerror(errno)));
  }
  folder_ = path;
  return Status::Ok();
}

Status PipesLink::WriteContext() {
  pipes::ContextPayload context{.asset_keys = command_.pipes.assets,
                                .run_id = attempt_.run_id,
                                .job_name = job_.def.name,
                                .retry_number = attempt_.number - 1,
                                .extras = command_.extras};
  const std::string text = context.ToJson().dump(-1, ' ', true, Json::error_handler_t::replace);
  const std::string path = folder_ + "/context";
  const int fd = open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
  size_t done = 0;
  while (fd >= 0 && done < text.size()) {
    const ssize_t sent = write(fd, text.data() + done, text.size() - done);
    if (sent < 0 && errno != EINTR) break;
    done += static_cast<size_t>(std::max<ssize_t>(0, sent));
  }
  const int problem = errno;
  if (fd >= 0) close(fd);
  if (done == text.size()) return Status::Ok();
  return Status::Io(fmt::format("cannot write {}: {}", path, strerror(problem)));
}

std::map<std::string, std::string> PipesLink::Variables() const {
  if (command_.pipes.by_arguments) return {};
  const std::vector<std::string> arguments = Arguments();
  return {{pipes::kContextVariable, arguments[1]}, {pipes::kMessagesVariable, arguments[3]}};
}

std::vector<std::string> PipesLink::Arguments() const {
  Json messages = file_ ? file_->Parameter() : Json();
  if (!file_) {
    messages["stdio"] = command_.pipes.messages == PipesSettings::Messages::kStdout ? "stdout" : "stderr";
  }
  return {pipes::kContextArgument, pipes::EncodeParameter({{"path", folder_ + "/context"}}), pipes::kMessagesArgument,
          pipes::EncodeParameter(messages)};
}

void PipesLink::TakeStream(OutputStream stream, std::string_view bytes) {
  if (stream_ && stream == CarrierOf(command_.pipes.messages)) {
    stream_->Add(bytes);
  } else {
    output_.Add(stream, bytes);
  }
}

Status PipesLink::Poll() {
  return file_ ? file_->Poll() : Status::Ok();
}

Status PipesLink::Finish() {
  if (file_) MUTIRAO_TRY(file_->Finish());
  if (stream_) stream_->Finish();
  for (const std::string& warning : session_.warnings()) events_.OpWarned(op_.name, warning);
  if (session_.opened() == 0 && command_.pipes.silence == Silence::kWarn) {
    events_.OpWarned(op_.name,
                     "the program sent no messages: it does not speak the Pipes protocol, or did not start to");
  }
  if (session_.opened() > session_.closed()) {
    events_.OpWarned(op_.name, "the program did not say that it was done; its last messages may be missing");
  }
  if (session_.faults() > 0 && command_.pipes.lenient) events_.OpWarned(op_.name, FaultText());
  return Status::Ok();
}

std::string PipesLink::FaultText() const {
  return Redactor::Global().Mask(fmt::format("{} of the program's messages cannot be read: {}", session_.faults(),
                                             fmt::join(session_.first_faults(), "; ")));
}

Status PipesLink::Verdict() const {
  if (session_.faults() > 0 && !command_.pipes.lenient) {
    return Status::Failed(FaultText()).Help("correct the program, or take it as it is with pipes: {on_fault: warn}");
  }
  if (session_.opened() == 0 && command_.pipes.silence == Silence::kFail) {
    return Status::Failed("the program sent no messages").Help("pipes: {on_silence: fail} asks for some");
  }
  return Status::Ok();
}

void PipesLink::Emit(std::string_view type, Json data) {
  if (attempt_.emit) attempt_.emit(type, std::move(data));
}

Status PipesLink::Take(const pipes::Message& message) {
  if (const auto* log = std::get_if<pipes::LogLine>(&message.body)) {
    output_.Add(OutputStream::kLog, fmt::format("[{}] {}\n", pipes::PipesLogLevelName(log->level), log->message));
    return Status::Ok();
  }
  if (const auto* piece = std::get_if<pipes::StreamText>(&message.body)) {
    output_.Add(piece->is_stderr ? OutputStream::kErr : OutputStream::kOut, piece->text);
    return Status::Ok();
  }
  MUTIRAO_TRY(results_.Take(message));
  const Redactor& redactor = Redactor::Global();
  if (const auto* made = std::get_if<pipes::Materialization>(&message.body)) {
    Json data = redactor.MaskTexts(made->ToJson());
    Emit(orchestration::event::kOpMaterialized,
         {{"asset", data["asset_key"]}, {"version", data["data_version"]}, {"metadata", data["metadata"]}});
  } else if (const auto* check = std::get_if<pipes::AssetCheck>(&message.body)) {
    Json data = redactor.MaskTexts(check->ToJson());
    data["asset"] = data["asset_key"];
    data.erase("asset_key");
    Emit(orchestration::event::kOpCheck, std::move(data));
    if (!check->passed) {
      events_.OpWarned(op_.name, redactor.Mask(fmt::format("check {} of {} did not hold ({})", check->name,
                                                           pipes::FormatAssetKey(check->asset),
                                                           check->ToJson()["severity"].get<std::string>())));
    }
  } else if (const auto* custom = std::get_if<pipes::CustomMessage>(&message.body)) {
    Emit(orchestration::event::kOpMessage, {{"payload", redactor.MaskTexts(custom->payload)}});
  }
  return Status::Ok();
}

Json PipesLink::Summary() const {
  if (session_.messages() == 0 && session_.faults() == 0) return nullptr;
  Json json = results_.ToJson();
  json["received"] = session_.messages();
  json["closed"] = session_.closed() > 0;
  json["faults"] = session_.faults();
  json["first_faults"] = session_.first_faults();
  return Redactor::Global().MaskTexts(std::move(json));
}

Json PipesLink::Outputs() const {
  Json outputs = Json::object();
  for (const Json& payload : results_.custom_messages()) {
    if (!payload.is_object()) continue;
    for (const auto& [name, value] : payload.items()) {
      outputs[name] = IsDataset(value) ? value : Json{{"value", value}};
      if (!IsDataset(value)) continue;
      Json& uri = outputs[name]["uri"];  // as the program meant it, for readers that stand elsewhere
      uri = storage::ResolvePath(command_.working_dir, uri.get<std::string>());
    }
  }
  return Redactor::Global().MaskTexts(std::move(outputs));
}

}  // namespace mutirao::runner
