#include <algorithm>

#include <arrow/api.h>
#include <fmt/format.h>
#include <utf8proc.h>

#include "columnar/arrow_status.h"
#include "frame/expr/expr.h"
#include "frame/expr/lexer.h"
#include "frame/expr/literal.h"
#include "frame/expr/names.h"
#include "frame/expr/precedence.h"

namespace mutirao::frame {
namespace {

// Bounds for text that strangers send: the tree is walked by recursion everywhere.
constexpr int kDeepestNesting = 400;
constexpr int kDeepestTree = 1500;
constexpr size_t kMostNodes = 100'000;
constexpr size_t kLongestText = 4 << 20;

class Parser {
 public:
  explicit Parser(std::string_view text) : text_(text) { Advance(); }

  Result<ExprPtr> ParseAll() {
    auto expr = MUTIRAO_TRY(ParseLevel(kOrLevel));
    if (token_.kind != TokenKind::kEnd) return Unexpected("an operator or the end of the expression");
    return expr;
  }

  TextSpan error_span() const { return error_span_; }

 private:
  // Reading tokens.
  void Advance() {
    previous_end_ = token_.span.end;
    token_ = NextToken(text_, token_.span.end);
  }
  void JumpTo(int at) { token_ = NextToken(text_, at); }
  bool TakeSymbol(std::string_view symbol) {
    if (!token_.is(symbol)) return false;
    Advance();
    return true;
  }
  bool TakeWord(std::string_view word) {
    if (!token_.is_word(word)) return false;
    Advance();
    return true;
  }

  // Making nodes and errors.
  Status Fail(TextSpan span, std::string message) {
    error_span_ = span;
    return Status::Invalid(std::move(message));
  }
  Status Unexpected(std::string_view expected);
  Status Expect(std::string_view symbol) {
    return TakeSymbol(symbol) ? Status::Ok() : Unexpected(fmt::format("\"{}\"", symbol));
  }
  Status ExpectWord(std::string_view word) {
    return TakeWord(word) ? Status::Ok() : Unexpected(fmt::format("\"{}\"", word));
  }
  TextSpan From(int begin) const { return {begin, previous_end_}; }
  Result<ExprPtr> CountNode(ExprPtr expr) {
    if (expr->depth() > kDeepestTree) {
      return Fail(expr->span(), fmt::format("more than {} operators build on each other", kDeepestTree)).Help("group them with parentheses or use \"in\"");
    }
    if (++nodes_ > kMostNodes) return Fail(expr->span(), fmt::format("the expression has more than {} parts", kMostNodes));
    return expr;
  }

  Result<ExprPtr> ParseLevel(int level);
  Result<ExprPtr> ParseLevelInside(int level);
  Result<ExprPtr> ParsePrefix(int level);
  Result<ExprPtr> ParsePostfixWord(ExprPtr left, int begin, bool* taken);
  Result<ExprPtr> ParseInItems(ExprPtr value, int begin);
  Result<ExprPtr> ParsePrimary();
  Result<ExprPtr> ParseWord();
  Result<ExprPtr> ParseNumber(bool negative, int begin);
  Result<ExprPtr> ParseParentheses();
  Result<ExprPtr> ParseCase();
  Result<ExprPtr> ParseCast(bool try_cast);
  Result<ExprPtr> ParseFunction();
  Result<ExprPtr> ParseTypedLiteral(const TypePtr& type, int begin);
  Result<ScalarPtr> ParseListItems(TypePtr item_type);
  std::string BinaryOperator() const;

  std::string_view text_;
  Token token_;
  int previous_end_ = 0;
  int depth_ = 0;
  size_t nodes_ = 0;
  TextSpan error_span_;
};

Status Parser::Unexpected(std::string_view expected) {
  if (token_.kind == TokenKind::kBad) return Fail(token_.span, token_.text);
  if (token_.kind == TokenKind::kEnd) return Fail(token_.span, fmt::format("expected {}, but the expression ends", expected));
  std::string found(text_.substr(token_.span.begin, token_.span.end - token_.span.begin));
  Status status = Fail(token_.span, fmt::format("expected {}, found `{}`", expected, found));
  if (token_.kind == TokenKind::kName) {
    if (std::string word = NearestName(token_.lower, ReservedWords()); !word.empty() && word != token_.lower) {
      return std::move(status).Help(fmt::format("did you mean \"{}\"?", word));
    }
  }
  if (token_.is_word("between") || token_.is_word("like") || token_.is("=") || token_.is("<>")) {
    return std::move(status).Help("comparisons cannot be chained; use parentheses or \"and\"");
  }
  return status;
}

Result<ExprPtr> Parser::ParseLevel(int level) {
  if (++depth_ > kDeepestNesting) return Fail(token_.span, fmt::format("the expression is nested deeper than {} levels", kDeepestNesting));
  auto result = ParseLevelInside(level);
  --depth_;
  return result;
}

// The name in the tree of the operator at hand; empty when there is none.
std::string Parser::BinaryOperator() const {
  if (token_.kind == TokenKind::kSymbol) {
    if (token_.text == "!=") return "<>";
    if (token_.text == "==") return "=";
    return BinaryLevel(token_.text) != 0 ? token_.text : "";
  }
  return token_.is_word("and") || token_.is_word("or") ? token_.lower : "";
}

// Precedence climbing: operators of at least `level`, those of one level grouping to the left.
Result<ExprPtr> Parser::ParseLevelInside(int level) {
  int begin = token_.span.begin;
  auto left = MUTIRAO_TRY(ParsePrefix(level));
  int loosest = kPrimaryLevel;  // operators that bind more than what was already read cannot follow it
  for (;;) {
    std::string name = BinaryOperator();
    int operator_level = BinaryLevel(name);
    if (operator_level != 0) {
      bool chained = operator_level == kCompareLevel && loosest == kCompareLevel;
      if (operator_level < level || operator_level > loosest || chained) break;
      Advance();
      auto right = MUTIRAO_TRY(ParseLevel(operator_level + 1));
      left = MUTIRAO_TRY(CountNode(Expr::Call(std::move(name), {left, right}, From(begin))));
      loosest = operator_level;
      continue;
    }
    int word_level = token_.is_word("is") ? kIsLevel : kInLevel;
    if (word_level < level || word_level > loosest || (word_level == kInLevel && loosest == kInLevel)) break;
    bool taken = false;
    left = MUTIRAO_TRY(ParsePostfixWord(left, begin, &taken));
    if (!taken) break;
    loosest = word_level;
  }
  return left;
}

Result<ExprPtr> Parser::ParsePrefix(int level) {
  int begin = token_.span.begin;
  if (token_.is_word("not") && level <= kNotLevel) {
    Advance();
    auto operand = MUTIRAO_TRY(ParseLevel(kNotLevel));
    return CountNode(Expr::Call("not", {operand}, From(begin)));
  }
  if (token_.is("-") || token_.is("+")) {
    bool negative = token_.text == "-";
    Advance();
    if (token_.kind == TokenKind::kNumber) return ParseNumber(negative, begin);
    auto operand = MUTIRAO_TRY(ParseLevel(kUnaryLevel));
    if (!negative) return operand;
    return CountNode(Expr::Call("negate", {operand}, From(begin)));
  }
  return ParsePrimary();
}

// is [not] null, [not] in, [not] between, [not] like behind `left`.
Result<ExprPtr> Parser::ParsePostfixWord(ExprPtr left, int begin, bool* taken) {
  *taken = true;
  ExprPtr call;
  bool negated = false;
  if (TakeWord("is")) {
    negated = TakeWord("not");
    MUTIRAO_TRY(ExpectWord("null"));
    call = Expr::Call("is_null", {left}, From(begin));
  } else {
    Token before = token_;
    int end_before = previous_end_;
    negated = TakeWord("not");
    if (TakeWord("like")) {
      auto pattern = MUTIRAO_TRY(ParseLevel(kInLevel + 1));
      call = Expr::Call("like", {left, pattern}, From(begin));
    } else if (TakeWord("between")) {
      auto low = MUTIRAO_TRY(ParseLevel(kInLevel + 1));
      MUTIRAO_TRY(ExpectWord("and"));
      auto high = MUTIRAO_TRY(ParseLevel(kInLevel + 1));
      call = Expr::Call("between", {left, low, high}, From(begin));
    } else if (TakeWord("in")) {
      call = MUTIRAO_TRY(ParseInItems(left, begin));
    } else if (negated) {
      return Unexpected("\"in\", \"like\" or \"between\"");
    } else {
      token_ = before;
      previous_end_ = end_before;
      *taken = false;
      return left;
    }
  }
  call = MUTIRAO_TRY(CountNode(call));
  return negated ? CountNode(Expr::Call("not", {call}, From(begin))) : call;
}

Result<ExprPtr> Parser::ParseInItems(ExprPtr value, int begin) {
  std::vector<ExprPtr> args{std::move(value)};
  if (!TakeSymbol("(")) {
    auto list = MUTIRAO_TRY(ParsePrimary());
    args.push_back(std::move(list));
    return Expr::Call("in", std::move(args), From(begin));
  }
  if (!token_.is(")")) {
    do {
      auto arg = MUTIRAO_TRY(ParseLevel(kOrLevel));
      args.push_back(std::move(arg));
    } while (TakeSymbol(","));
  }
  MUTIRAO_TRY(Expect(")"));
  return Expr::Call("in", std::move(args), From(begin));
}

Result<ExprPtr> Parser::ParseNumber(bool negative, int begin) {
  auto value = NumberLiteral((negative ? "-" : "") + token_.text);
  TextSpan span{begin, token_.span.end};
  if (!value.ok()) {
    error_span_ = span;
    return std::move(value).status();
  }
  Advance();
  return CountNode(Expr::Literal(*value, span));
}

Result<ExprPtr> Parser::ParseParentheses() {
  Advance();
  auto inside = MUTIRAO_TRY(ParseLevel(kOrLevel));
  MUTIRAO_TRY(Expect(")"));
  return inside;
}

Result<ExprPtr> Parser::ParsePrimary() {
  int begin = token_.span.begin;
  switch (token_.kind) {
    case TokenKind::kNumber: return ParseNumber(false, begin);
    case TokenKind::kString: {
      std::string value = token_.text;
      Advance();
      return CountNode(Expr::Literal(std::make_shared<arrow::StringScalar>(std::move(value)), From(begin)));
    }
    case TokenKind::kQuotedName: {
      std::string name = token_.text;
      Advance();
      return CountNode(Expr::Column(std::move(name), From(begin)));
    }
    case TokenKind::kParameter: {
      std::string name = token_.text;
      Advance();
      return CountNode(Expr::Parameter(std::move(name), From(begin)));
    }
    case TokenKind::kName: return ParseWord();
    case TokenKind::kSymbol:
      if (token_.is("(")) return ParseParentheses();
      if (token_.is("[")) {
        auto list = MUTIRAO_TRY(ParseListItems(nullptr));
        return CountNode(Expr::Literal(list, From(begin)));
      }
      return Unexpected("a value");
    default: return Unexpected("a value");
  }
}

Result<ExprPtr> Parser::ParseWord() {
  int begin = token_.span.begin;
  if (token_.lower == "case") return ParseCase();
  if (token_.lower == "cast" || token_.lower == "try_cast") return ParseCast(token_.lower == "try_cast");
  if (token_.lower == "true" || token_.lower == "false") {
    bool value = token_.lower == "true";
    Advance();
    return CountNode(Expr::Literal(std::make_shared<arrow::BooleanScalar>(value), From(begin)));
  }
  if (TakeWord("null")) return CountNode(Expr::Literal(std::make_shared<arrow::NullScalar>(), From(begin)));
  if (IsReservedWord(token_.lower)) return Unexpected("a value");

  int type_end = TypeTextEnd(text_, begin);
  Token behind_type = NextToken(text_, type_end);
  if (behind_type.kind == TokenKind::kString || behind_type.is("[")) {
    if (auto type = ParseType(text_.substr(begin, type_end - begin)); type.ok()) {
      JumpTo(type_end);
      return ParseTypedLiteral(*type, begin);
    }
  }
  Token behind = NextToken(text_, token_.span.end);
  if (behind.is("(")) return ParseFunction();
  std::string name = token_.text;
  Advance();
  return CountNode(Expr::Column(std::move(name), From(begin)));
}

Result<ExprPtr> Parser::ParseTypedLiteral(const TypePtr& type, int begin) {
  if (token_.is("[")) {
    if (type->id() != arrow::Type::LIST) return Fail(From(begin), fmt::format("a {} is not written in brackets", TypeName(*type)));
    auto list = MUTIRAO_TRY(ParseListItems(static_cast<const arrow::ListType&>(*type).value_type()));
    return CountNode(Expr::Literal(list, From(begin)));
  }
  TextSpan span{begin, token_.span.end};
  auto value = LiteralFromText(type, token_.text);
  if (!value.ok()) {
    error_span_ = span;
    return std::move(value).status();
  }
  Advance();
  return CountNode(Expr::Literal(*value, span));
}

// Constants between brackets; all of `item_type`, or of the type of the first that is not null.
Result<ScalarPtr> Parser::ParseListItems(TypePtr item_type) {
  int begin = token_.span.begin;
  Advance();
  std::vector<ScalarPtr> items;
  while (!token_.is("]")) {
    if (!items.empty()) MUTIRAO_TRY(Expect(","));
    auto item = MUTIRAO_TRY(ParseLevel(kUnaryLevel));
    if (item->kind() != ExprKind::kLiteral) return Fail(item->span(), "a list in brackets may hold constants only");
    ScalarPtr value = item->literal();
    bool null = value->type->id() == arrow::Type::NA;
    if (!null && item_type == nullptr) item_type = value->type;
    if (!null && !value->type->Equals(*item_type)) {
      return Fail(item->span(), fmt::format("the items of a list must be of one type: expected {}, found {}", TypeName(*item_type), TypeName(*value->type)));
    }
    items.push_back(std::move(value));
  }
  Advance();
  if (item_type == nullptr) return Fail(From(begin), "the type of the list is not known; write list<string> []");
  auto builder = MUTIRAO_TRY(arrow::MakeBuilder(item_type));
  for (const ScalarPtr& item : items) {
    MUTIRAO_TRY(item->is_valid ? builder->AppendScalar(*item) : builder->AppendNull());
  }
  auto values = MUTIRAO_TRY(builder->Finish());
  return std::make_shared<arrow::ListScalar>(values, arrow::list(item_type));
}

Result<ExprPtr> Parser::ParseCase() {
  int begin = token_.span.begin;
  Advance();
  ExprPtr value;
  if (!token_.is_word("when")) value = MUTIRAO_TRY(ParseLevel(kOrLevel));
  if (!token_.is_word("when")) return Unexpected("\"when\"");
  std::vector<ExprPtr> args;
  while (TakeWord("when")) {
    auto when = MUTIRAO_TRY(ParseLevel(kOrLevel));
    MUTIRAO_TRY(ExpectWord("then"));
    auto then = MUTIRAO_TRY(ParseLevel(kOrLevel));
    if (value) when = MUTIRAO_TRY(CountNode(Expr::Call("=", {value, when}, when->span())));
    args.push_back(when);
    args.push_back(then);
  }
  if (TakeWord("else")) {
    auto otherwise = MUTIRAO_TRY(ParseLevel(kOrLevel));
    args.push_back(std::move(otherwise));
  }
  if (!token_.is_word("end")) return Unexpected(args.size() % 2 == 0 ? "\"when\", \"else\" or \"end\"" : "\"end\"");
  Advance();
  return CountNode(Expr::Case(std::move(args), From(begin)));
}

Result<ExprPtr> Parser::ParseCast(bool try_cast) {
  int begin = token_.span.begin;
  Advance();
  MUTIRAO_TRY(Expect("("));
  auto value = MUTIRAO_TRY(ParseLevel(kOrLevel));
  if (!token_.is_word("as")) return Unexpected("\"as\" and a type");
  int type_begin = SkipBlanks(text_, token_.span.end);
  int type_end = TypeTextEnd(text_, type_begin);
  if (type_end == type_begin) {
    Advance();
    return Unexpected("a type");
  }
  auto type = ParseType(text_.substr(type_begin, type_end - type_begin));
  if (!type.ok()) {
    error_span_ = {type_begin, type_end};
    return std::move(type).status();
  }
  JumpTo(type_end);
  MUTIRAO_TRY(Expect(")"));
  // A null of a type is a constant, and is printed like this.
  bool null = value->kind() == ExprKind::kLiteral && value->literal()->type->id() == arrow::Type::NA;
  if (null) return CountNode(Expr::Literal(arrow::MakeNullScalar(*type), From(begin)));
  return CountNode(Expr::Cast(value, *type, try_cast, From(begin)));
}

Result<ExprPtr> Parser::ParseFunction() {
  int begin = token_.span.begin;
  std::string name = token_.lower;
  Advance();
  Advance();
  std::vector<ExprPtr> args;
  if (name == "count" && token_.is("*")) {
    Advance();
  } else if (!token_.is(")")) {
    do {
      auto arg = MUTIRAO_TRY(ParseLevel(kOrLevel));
      args.push_back(std::move(arg));
    } while (TakeSymbol(","));
  }
  if (!token_.is(")")) return Unexpected("\",\" or \")\"");
  Advance();
  return CountNode(Expr::Call(std::move(name), std::move(args), From(begin)));
}

bool IsUtf8(std::string_view text) {
  size_t at = 0;
  while (at < text.size()) {
    utf8proc_int32_t character;
    auto bytes = utf8proc_iterate(reinterpret_cast<const utf8proc_uint8_t*>(text.data() + at),
                                  static_cast<utf8proc_ssize_t>(text.size() - at), &character);
    if (bytes <= 0) return false;
    at += static_cast<size_t>(bytes);
  }
  return true;
}

}  // namespace

Result<ExprPtr> ParseExpr(std::string_view text, Diagnostic* error) {
  Status failure;
  TextSpan span;
  if (text.size() > kLongestText) {
    failure = Status::Invalid(fmt::format("the expression is longer than {} bytes", kLongestText));
  } else if (!IsUtf8(text)) {
    failure = Status::Invalid("the expression is not valid UTF-8");
  } else {
    Parser parser(text);
    auto result = parser.ParseAll();
    if (result.ok()) return result;
    failure = std::move(result).status();
    span = parser.error_span();
  }
  if (error != nullptr) *error = {.message = failure.message(), .span = span, .help = failure.help()};
  return failure;
}

}  // namespace mutirao::frame
