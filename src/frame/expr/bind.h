#pragma once

#include <map>
#include <string>

#include "frame/expr/expr.h"
#include "frame/expr/function.h"

namespace mutirao::frame {

/// Values for ${name} in expressions; typed, never text that is parsed again.
using Parameters = std::map<std::string, ScalarPtr>;

struct BindOptions {
  const Parameters* parameters = nullptr;
  /// Beside the built-in ones.
  const FunctionSet* functions = nullptr;
  /// Aggregate functions may stand in the expression (an aggregate step), otherwise they are an error.
  bool allow_aggregates = false;
  /// What the columns belong to, for messages: "cnpj/estabelecimentos". Empty: "the input".
  std::string input_name;
};

/// Give every node of `expr` its type against the columns of `schema`, with implicit casts made explicit and
/// parameters replaced by literals; calls keep the function of a module that they were bound to. Binding a bound
/// expression again (against a schema with the same types) is allowed.
///
/// Errors: kInvalid; every fault found is added to `errors` (message, span, help with a did-you-mean; pointer empty)
/// when it is given, and all are in the Status otherwise.
Result<ExprPtr> Bind(const ExprPtr& expr, const arrow::Schema& schema, const BindOptions& options = {},
                     Diagnostics* errors = nullptr);

/// Bind and make the result boolean: a filter's condition. Null counts as false when it is evaluated.
Result<ExprPtr> BindPredicate(const ExprPtr& expr, const arrow::Schema& schema, const BindOptions& options = {},
                              Diagnostics* errors = nullptr);

}  // namespace mutirao::frame
