#include <algorithm>
#include <fstream>

#include <fmt/format.h>

#include "base/log.h"
#include "cli/command.h"
#include "cli/exit_code.h"
#include "cli/project_store.h"
#include "cli/signals.h"
#include "orchestration/logs/log_reader.h"
#include "orchestration/output/op_log.h"

namespace mutirao::cli {
namespace {

using orchestration::LogPiece;
using orchestration::OpRow;
using orchestration::OutputStream;
using orchestration::RunRow;

struct LogsFlags {
  std::string run;
  std::string op;
  bool follow = false;
  bool worker = false;
  int tail = -1;  // KiB
};

constexpr std::chrono::milliseconds kLook{200};

constexpr std::string_view StreamName(OutputStream stream) {
  switch (stream) {
    case OutputStream::kOut:
      return "out";
    case OutputStream::kErr:
      return "err";
    case OutputStream::kLog:
      return "log";
  }
  return "out";
}

std::string JsonLine(Json object) {
  return object.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n";
}

std::string Line(const LogPiece& piece, std::string_view line, bool json, bool named) {
  // The rest of a line that is longer than a piece has no time and stream of its own.
  const orchestration::OpLogLine told =
      orchestration::ReadOpLogLine(line).value_or(orchestration::OpLogLine{.text = line});
  if (json) {
    return JsonLine({{"op", piece.op},
                     {"attempt", piece.attempt},
                     {"time", told.time},
                     {"stream", StreamName(told.stream)},
                     {"text", told.text}});
  }
  if (!named) return std::string(told.text) + "\n";
  return piece.attempt > 1 ? fmt::format("{}#{} | {}\n", piece.op, piece.attempt, told.text)
                           : fmt::format("{} | {}\n", piece.op, told.text);
}

std::string Lines(const LogPiece& piece, bool json, bool named) {
  std::string text;
  for (std::string_view rest = piece.text; !rest.empty();) {
    const size_t end = std::min(rest.find('\n'), rest.size());
    text += Line(piece, rest.substr(0, end), json, named);
    rest.remove_prefix(std::min(end + 1, rest.size()));
  }
  return text;
}

class LogPrinter {
 public:
  LogPrinter(const Terminal& terminal, const LogsFlags& flags, orchestration::Store& store, const RunRow& run)
      : terminal_(terminal),
        flags_(flags),
        store_(store),
        id_(run.spec.id),
        reader_(orchestration::RunFolder(run.spec.project_root, id_), flags.op) {
    if (flags.tail >= 0) reader_.SkipToTail(int64_t{flags.tail} * 1024);
  }

  // OK also when nobody reads any more.
  Status Print(const std::stop_token& stop) {
    while (!stop.stop_requested()) {
      const RunRow run = MUTIRAO_TRY(store_.GetRun(id_));
      const std::vector<OpRow> ops = MUTIRAO_TRY(store_.GetOps(id_));
      MUTIRAO_TRY(CheckOp(run, ops));
      const bool over = IsFinal(run.state) || !flags_.follow;
      if (!MUTIRAO_TRY(PrintWhatIsThere(ops, over, stop)) || over) return Status::Ok();
      MUTIRAO_TRY(store_.WaitForEvents(id_, run.last_event, kLook, stop));
    }
    return Status::Cancelled("stopped; the run goes on");
  }

  bool printed() const { return printed_; }

 private:
  Status CheckOp(const RunRow& run, const std::vector<OpRow>& ops) const {
    if (flags_.op.empty() || ops.empty()) return Status::Ok();
    std::vector<std::string> names;
    for (const OpRow& op : ops) names.push_back(op.op);
    if (std::find(names.begin(), names.end(), flags_.op) != names.end()) return Status::Ok();
    std::string help = DidYouMean(flags_.op, names);
    if (help.empty()) help = fmt::format("it has {}", fmt::join(names, ", "));
    return Status::NotFound(fmt::format("run {} has no op \"{}\"", run.spec.id, flags_.op)).Help(std::move(help));
  }

  Result<bool> PrintWhatIsThere(const std::vector<OpRow>& ops, bool all, const std::stop_token& stop) {
    while (!stop.stop_requested()) {
      const LogPiece piece = MUTIRAO_TRY(reader_.Next(ops, all));
      if (piece.text.empty()) return true;
      printed_ = true;
      if (!terminal_.Print(Lines(piece, terminal_.json, flags_.op.empty()))) return false;
    }
    return false;
  }

  const Terminal& terminal_;
  const LogsFlags& flags_;
  orchestration::Store& store_;
  const std::string id_;
  orchestration::LogReader reader_;
  bool printed_ = false;
};

void PrintWorkerLog(const Terminal& terminal, const RunRow& run) {
  std::ifstream log(orchestration::RunFolder(run.spec.project_root, run.spec.id) + "/worker.log");
  if (!log) return terminal.Say("its worker said nothing");
  for (std::string line; std::getline(log, line);) {
    const std::string text =
        terminal.json ? JsonLine({{"op", "worker"}, {"stream", "err"}, {"text", line}}) : line + "\n";
    if (!terminal.Print(text)) return;
  }
}

int Logs(const Terminal& terminal, const LogsFlags& flags) {
  HoldStopSignals();
  int code = kExitOk;
  RunRow run;
  const std::optional<ProjectStore> project = OpenForRun(terminal, flags.run, run, code);
  if (!project) return code;
  if (flags.worker) {
    PrintWorkerLog(terminal, run);
    return kExitOk;
  }
  SignalStop signals([](int) {}, [] {});
  LogPrinter printer(terminal, flags, *project->store, run);
  const Status status = printer.Print(signals.token());
  if (signals.signal() != 0) return ExitCodeForSignal(signals.signal());
  if (!status.ok()) terminal.Fail(status);
  if (status.ok() && !printer.printed()) {
    terminal.Say("its ops printed nothing; `--worker` shows what its process said, `mutirao events` what happened");
  }
  return ExitCodeFor(status);
}

}  // namespace

Command LogsCommand() {
  return {.name = "logs",
          .summary = "Print what the commands of a run wrote to stdout and stderr",
          .examples = {"mutirao logs latest", "mutirao logs -f 20261122-103000-9f86d081",
                       "mutirao logs latest --op report", "mutirao logs latest --worker"},
          .declare = [](CLI::App& app) {
            auto flags = std::make_shared<LogsFlags>();
            app.add_option("RUN", flags->run, "Id of a run, or latest")->required();
            app.add_flag("-f,--follow", flags->follow, "Go on until the run has ended");
            app.add_option("--op", flags->op, "Of this op alone, as it was written")->type_name("OP");
            app.add_option("--tail", flags->tail, "Only the last so many KiB of each file")
                ->check(CLI::NonNegativeNumber)
                ->type_name("KIB");
            app.add_flag("--worker", flags->worker, "What the run's own process said, where a server started it");
            return [flags](Terminal& terminal) { return Logs(terminal, *flags); };
          }};
}

}  // namespace mutirao::cli
