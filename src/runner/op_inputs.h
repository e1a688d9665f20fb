#pragma once

#include <map>
#include <string>

#include "base/diagnostic.h"
#include "frame/sink.h"
#include "orchestration/config/variables.h"
#include "orchestration/run/run.h"

namespace mutirao::runner {

/// What an op gives to others, as its outcome has it under "outputs". A dataset is
///
///     {"uri", "format", "schema": [{"name", "type"}], "rows", "bytes", "files", "read"}
///
/// where "read" is what a frame reads it by; a value is {"value": …}.
Json DescribeOutput(const frame::Sink& sink, const std::string& root, int64_t rows, int64_t bytes, int64_t files);

/// The outputs that an op takes, by the names it gives them.
using OpInputs = std::map<std::string, Json>;

/// Find the inputs of an op of a run and set what ${in.name} stands for: a value, or the place of a dataset, of which
/// there are ${in.name.uri}, .rows, .bytes and .format too; and ${resources.name.key}. Without an attempt these
/// stay as they are: what they stand for is not known yet. Faults are added to `errors`.
OpInputs BindInputs(const orchestration::OpDef& op, const orchestration::OpAttempt* attempt,
                    orchestration::Variables& variables, Diagnostics& errors);

/// Find the output that an input names. Errors: kFailed when the op did not run or gave no such output.
Result<Json> FindOutput(const orchestration::InputDef& input, const orchestration::OpAttempt& attempt);

/// The spec by which a frame reads an output. Errors: kInvalid when it is no dataset, or of a format that keeps no
/// types.
Result<Json> ReadSpecOf(const orchestration::InputDef& input, const Json& output);

/// The input that `dataset: text` of a frame names; null when there is none.
const orchestration::InputDef* FindDataset(const orchestration::OpDef& op, const std::string& text);

}  // namespace mutirao::runner
