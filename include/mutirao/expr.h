#pragma once

#include <concepts>
#include <cstdint>
#include <initializer_list>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <mutirao/status.h>

namespace mutirao {

namespace frame {
class Expr;
}

namespace internal {
template <typename T>
concept PlainInteger = std::integral<T> && !std::same_as<T, bool>;
}

/// A computation on the columns of one row (or, with aggregates, of a group), built in C++.
///
/// Nothing is checked before the expression meets a frame: names and types are the frame's to know. Comparison and
/// logical operators build expressions too, so `Col("uf") == "SP" && !Col("email").IsNull()` is one.
///
/// Ownership: shared, immutable, cheap to copy. Threads: any.
class Expr {
 public:
  Expr(const char* text);       // NOLINT: literals stand for themselves in expressions
  Expr(std::string text);       // NOLINT
  Expr(std::string_view text);  // NOLINT
  Expr(bool value);             // NOLINT
  Expr(double value);           // NOLINT
  template <internal::PlainInteger T>
  Expr(T value) : Expr(FromInteger(static_cast<int64_t>(value))) {}  // NOLINT

  explicit Expr(std::shared_ptr<const frame::Expr> node, Status status = Status::Ok());

  Expr IsNull() const;
  Expr IsNotNull() const;
  /// True when equal to one of the values.
  Expr In(std::initializer_list<Expr> values) const;
  Expr In(const std::vector<std::string>& values) const;
  Expr Between(Expr low, Expr high) const;
  /// SQL's pattern: `%` any text, `_` one character.
  Expr Like(std::string_view pattern) const;
  /// Convert to a type by its name, "decimal(18,2)"; a value that does not convert fails the run.
  Expr Cast(std::string_view type) const;
  /// Convert; a value that does not convert becomes null.
  Expr TryCast(std::string_view type) const;

  /// The text that means the same in a job file.
  std::string ToString() const;

  /// What went wrong while it was built: SQL text that does not parse, an unknown type name.
  const Status& status() const { return status_; }
  const std::shared_ptr<const frame::Expr>& node() const { return node_; }

 private:
  static Expr FromInteger(int64_t value);

  std::shared_ptr<const frame::Expr> node_;
  Status status_;
};

/// A column by its name.
Expr Col(std::string_view name);

/// An expression in the language of job files: Sql("cast(x as date)").
Expr Sql(std::string_view text);

/// A function by its name, as `mutirao functions` lists them: Call("date_trunc", {"month", Col("d")}).
Expr Call(std::string_view function, std::vector<Expr> args = {});

/// The null of no particular type.
Expr Null();

/// `when` and the value it gives.
struct Branch {
  Expr when;
  Expr then;
};
/// The value of the first branch whose condition holds, else `otherwise`.
Expr Case(std::initializer_list<Branch> branches, Expr otherwise = Null());

Expr operator==(Expr a, Expr b);
Expr operator!=(Expr a, Expr b);
Expr operator<(Expr a, Expr b);
Expr operator<=(Expr a, Expr b);
Expr operator>(Expr a, Expr b);
Expr operator>=(Expr a, Expr b);
Expr operator+(Expr a, Expr b);
Expr operator-(Expr a, Expr b);
Expr operator*(Expr a, Expr b);
Expr operator/(Expr a, Expr b);
Expr operator%(Expr a, Expr b);
Expr operator-(Expr a);
// Both sides are always part of the expression: there is nothing to short-circuit while it is built.
Expr operator&&(Expr a, Expr b);
Expr operator||(Expr a, Expr b);
Expr operator!(Expr a);

// The functions used most, by name; all others through Call().
Expr Trim(Expr text);
Expr Upper(Expr text);
Expr Lower(Expr text);
Expr Length(Expr text);
Expr Substr(Expr text, Expr start, Expr length);
Expr Replace(Expr text, Expr from, Expr to);
Expr Concat(std::vector<Expr> parts);
Expr Coalesce(std::vector<Expr> values);
Expr NullIf(Expr value, Expr null_value);
Expr ParseDate(Expr text, std::string_view format);
Expr TryParseDate(Expr text, std::string_view format);

// Aggregates, for Frame::Aggregate.
Expr Count();
Expr Count(Expr value);
Expr CountDistinct(Expr value);
Expr Sum(Expr value);
Expr Avg(Expr value);
Expr Min(Expr value);
Expr Max(Expr value);

}  // namespace mutirao
