"""Random typed expressions, each in our language and as DuckDB writes the same.

What the two define differently is not generated: casts of texts that DuckDB takes and we refuse ('1.5' as int64),
the letters that capitals change in number (ß), quotients of decimals (we give float64 as DuckDB does, rounded once less).
"""

TEXTS = ["", "a", "ab", "São Paulo", "  padded ", "x,y,,z", "a,b", "12", "-7", "0042", "1,50", "10%_", "ÁÉÍ óú", "aXbXc",
         "20260131", "20240229", "20260230", "00000000", "11.222.333/0001-81", "more than fifteen bytes of text"]
PARTS = ["", "a", "b", "X", ",", " ", "ã", "Paulo", "%", "0", "xy"]
LIKES = ["%a%", "a%", "%b", "a_", "%", "", "S_o%", "%,%,%", "_", "a%b%c", "%ã%", "12"]
PATTERNS = ["a", "[0-9]+", "^[a-z]*$", "(a)(b)?", "X|,", "\\s+", "^.", "ã", "[^0-9]", "a*", "(?i)P(a)", "o$", "\\d{2}"]
UNITS = ["year", "quarter", "month", "week", "day"]
TIME_UNITS = UNITS + ["hour", "minute", "second"]
FORMATS = ["%Y%m%d", "%d/%m/%Y", "%y-%j", "%Y-%m-%d %H:%M:%S", "%b %d, %Y", "%B %I %p %%"]
COLUMNS = {"int": ["i", "j", "k"], "decimal": ["d", "e"], "float": ["f", "g"], "text": ["s", "t"], "bool": ["b", "c"],
           "date": ["x", "y"], "time": ["u", "v"]}
COMPARED = ["int", "decimal", "float", "text", "date", "time", "bool"]


def quoted(text):
    return "'" + text.replace("'", "''") + "'"


def call(name, duck, *arguments):
    """The same call in both languages; `duck` may be a format with {0}, {1}, …"""
    ours = f"{name}({', '.join(a for a, _ in arguments)})"
    theirs = [b for _, b in arguments]
    return ours, duck.format(*theirs) if "{" in duck else f"{duck}({', '.join(theirs)})"


def plain(text):
    return text, text


class Expressions:
    def __init__(self, rng):
        self.rng = rng

    def any(self, depth):
        return self.make(self.rng.choice(COMPARED), depth)

    def make(self, kind, depth):
        if depth <= 0 or self.rng.random() < 0.1:
            return self.leaf(kind)
        if self.rng.random() < 0.15:
            return self.conditional(kind, depth - 1)
        return getattr(self, kind)(depth - 1)

    def leaf(self, kind):
        if self.rng.random() < 0.65:
            return plain(self.rng.choice(COLUMNS[kind]))
        return self.constant(kind)

    def constant(self, kind):
        rng = self.rng
        if kind == "int":
            return plain(str(rng.randint(0, 20)))
        if kind == "decimal":
            text = f"{rng.randint(0, 99)}.{rng.randint(0, 99):02}"
            return text, f"{text}::decimal({len(text) - 1},2)"
        if kind == "float":
            text = f"{rng.randint(0, 400) / 4}"
            return f"{text}e0", f"{text}::double"
        if kind == "text":
            return plain(quoted(rng.choice(TEXTS)))
        if kind == "bool":
            return plain(rng.choice(["true", "false"]))
        day = f"20{rng.randint(20, 26)}-{rng.randint(1, 12):02}-{rng.randint(1, 28):02}"
        return plain(f"date '{day}'" if kind == "date" else f"timestamp '{day} {rng.randint(0, 23):02}:30:15'")

    def conditional(self, kind, depth):
        rng = self.rng
        one, two, three = (self.make(kind, depth) for _ in range(3))
        choice = rng.randrange(6)
        if choice == 0:
            return call("coalesce", "coalesce", one, two, three)
        if choice == 1:
            return call("nullif", "nullif", one, two)
        if choice == 2:
            return call("greatest", "greatest", one, two) if rng.random() < 0.5 else call("least", "least", one, two)
        when, again = self.bool(depth), self.bool(depth)
        if choice == 3:
            return call("if", "case when {0} then {1} else {2} end", when, one, two)
        middle = rng.choice([("", ""), tuple(f" when {again[i]} then {three[i]}" for i in (0, 1))])
        last = rng.choice([("", ""), tuple(f" else {two[i]}" for i in (0, 1))])
        return tuple(f"case when {when[i]} then {one[i]}{middle[i]}{last[i]} end" for i in (0, 1))

    def infix(self, operator, left, right, theirs=None):
        return f"({left[0]} {operator} {right[0]})", f"({left[1]} {theirs or operator} {right[1]})"

    def quotient(self, operator, left, right):
        # Null for a divisor of zero, where DuckDB gives infinity or an error.
        return f"({left[0]} {operator} {right[0]})", f"({left[1]} {operator} nullif({right[1]}, 0))"

    def int(self, depth):
        rng = self.rng
        choice = rng.randrange(10)
        if choice < 3:
            # The right side is a leaf, so that products stay far from the limits.
            return self.infix(rng.choice("+-*"), self.make("int", depth), self.leaf("int"))
        if choice == 3:
            return self.quotient("%", self.make("int", depth), self.leaf("int"))
        if choice == 4:
            return call("length", "length", self.text(depth))
        if choice == 5:
            name = rng.choice(["year", "month", "day", "week", "day_of_week"])
            return call(name, "dayofweek" if name == "day_of_week" else name, self.make(rng.choice(["date", "time"]), depth))
        if choice == 6:
            name = rng.choice(["hour", "minute", "second"])
            return call(name, name, self.make("time", depth))
        if choice == 7:
            # DuckDB counts spans of seven days; we count Mondays, as it counts the borders of other units.
            unit, begin, end = rng.choice(UNITS), self.make("date", depth), self.make("date", depth)
            weeks = "(date_diff('day', date_trunc('week', {1}), date_trunc('week', {2})) // 7)"
            return call("date_diff", weeks if unit == "week" else "date_diff", plain(quoted(unit)), begin, end)
        if choice == 8:
            text = self.leaf("text")
            # DuckDB takes more for a number than we do.
            return f"try_cast({text[0]} as int64)", f"case when regexp_full_match(trim({text[1]}), '[+-]?[0-9]+') then try_cast(trim({text[1]}) as bigint) end"
        return call(rng.choice(["abs"]), "abs", self.make("int", depth))

    def decimal(self, depth):
        rng = self.rng
        choice = rng.randrange(5)
        if choice < 2:
            return self.infix(rng.choice("+-"), self.make("decimal", depth), self.leaf(rng.choice(["decimal", "int"])))
        if choice == 2:
            return self.infix("*", self.leaf("decimal"), self.leaf("decimal"))
        if choice == 3:
            return call("abs", "abs", self.make("decimal", depth))
        value = self.leaf("int")
        return f"cast({value[0]} as decimal(14,2))", f"cast({value[1]} as decimal(14,2))"

    def float(self, depth):
        rng = self.rng
        choice = rng.randrange(6)
        if choice < 2:
            return self.infix(rng.choice("+-*"), self.make("float", depth), self.leaf(rng.choice(["float", "int"])))
        if choice == 2:
            return self.quotient("/", self.make("int", depth), self.make("int", depth))
        if choice == 3:
            return call("abs", "abs", self.make("float", depth))
        if choice == 4:
            name = rng.choice(["floor", "ceil"])
            return call(name, name, self.make("float", depth))
        value = self.make(rng.choice(["int", "decimal"]), depth)
        return f"cast({value[0]} as float64)", f"cast({value[1]} as double)"

    def text(self, depth):
        rng = self.rng
        text = self.make("text", depth)
        part, other = plain(quoted(rng.choice(PARTS))), plain(quoted(rng.choice(PARTS)))
        number = plain(str(rng.choice([-3, -2, -1, 1, 2, 3, 9])))
        choice = rng.randrange(16)
        if choice == 0:
            name = rng.choice(["upper", "lower", "trim", "ltrim", "rtrim"])
            return call(name, name, text)
        if choice == 1:
            name = rng.choice(["trim", "ltrim", "rtrim"])
            return call(name, name, text, plain(quoted(rng.choice(PARTS[1:]))))
        if choice == 2:
            return call("replace", "replace", text, part, other)
        if choice == 3:
            return call("substr", "substr", text, number)
        if choice == 4:
            return call("substr", "substr", text, number, plain(str(rng.randint(0, 5))))
        if choice == 5:
            return call("split_part", "split_part", text, plain(quoted(rng.choice(PARTS[1:]))), number)
        if choice == 6:
            name = rng.choice(["lpad", "rpad"])
            return call(name, name, text, plain(str(rng.randint(0, 12))), plain(quoted(rng.choice(PARTS[1:]))))
        if choice == 7:
            return call("concat", "concat", text, self.leaf("text"), self.leaf("int"))
        if choice == 8:
            return self.infix("||", text, self.leaf("text"))
        if choice == 9:
            return call("digits_only", "regexp_replace({0}, '[^0-9]', '', 'g')", text)
        if choice == 10:
            return call("unaccent", "strip_accents", text)
        if choice == 11:
            pattern = plain(quoted(rng.choice(PATTERNS)))
            return call("regexp_replace", "regexp_replace", text, pattern, plain(quoted(rng.choice(["", "-", "<\\0>", "x"]))),
                        plain(quoted(rng.choice(["", "g"]))))
        if choice == 12:
            return call("regexp_extract", "regexp_extract", text, plain(quoted(rng.choice(PATTERNS))))
        if choice == 13:
            return call("regexp_extract", "regexp_extract", text, plain("'([a-z])([0-9a-z])?'"), plain(rng.choice("012")))
        if choice == 14:
            return call("format_date", "strftime", self.make(rng.choice(["date", "time"]), depth),
                        plain(quoted(rng.choice(FORMATS))))
        value = self.make(rng.choice(["int", "decimal", "date", "bool"]), depth)
        return f"cast({value[0]} as string)", f"cast({value[1]} as varchar)"

    def bool(self, depth):
        rng = self.rng
        kind = rng.choice(COMPARED)
        choice = rng.randrange(11)
        if choice < 3:
            operator = rng.choice(["=", "<>", "<", "<=", ">", ">="])
            other = rng.choice(["int", "decimal", "float"]) if kind in ("int", "decimal", "float") else kind
            return self.infix(operator, self.make(kind, depth), self.make(other, depth))
        if choice == 3:
            return self.infix(rng.choice(["and", "or"]), self.make("bool", depth), self.make("bool", depth))
        if choice == 4:
            value = self.make("bool", depth)
            return f"(not {value[0]})", f"(not {value[1]})"
        if choice == 5:
            value, no = self.make(kind, depth), rng.choice(["", "not "])
            return f"({value[0]} is {no}null)", f"({value[1]} is {no}null)"
        if choice == 6:
            value, no = self.make(kind, depth), rng.choice(["", "not "])
            items = [self.constant(kind) if rng.random() < 0.9 else plain("null") for _ in range(rng.randint(1, 12))]
            return tuple(f"({value[n]} {no}in ({', '.join(item[n] for item in items)}))" for n in (0, 1))
        if choice == 7:
            value, low, high = self.make(kind, depth), self.leaf(kind), self.leaf(kind)
            no = rng.choice(["", "not "])
            return tuple(f"({value[n]} {no}between {low[n]} and {high[n]})" for n in (0, 1))
        if choice == 8:
            return self.infix(rng.choice(["like", "not like"]), self.make("text", depth), plain(quoted(rng.choice(LIKES))))
        if choice == 9:
            return call("regexp_matches", "regexp_matches", self.make("text", depth), plain(quoted(rng.choice(PATTERNS))))
        name = rng.choice(["starts_with", "ends_with", "contains"])
        return call(name, name, self.make("text", depth), plain(quoted(rng.choice(PARTS))))

    def date(self, depth):
        rng = self.rng
        choice = rng.randrange(5)
        if choice == 0:
            moved = self.make("date", depth), self.constant("int")
            # DuckDB adds 32-bit numbers only.
            operator = rng.choice("+-")
            return f"({moved[0][0]} {operator} {moved[1][0]})", f"({moved[0][1]} {operator} {moved[1][1]}::int)"
        if choice == 1:
            # DuckDB gives a timestamp of the begin.
            return call("date_trunc", "cast(date_trunc({0}, {1}) as date)", plain(quoted(rng.choice(UNITS))), self.make("date", depth))
        if choice == 2:
            text = self.leaf("text")
            return f"try_parse_date({text[0]}, '%Y%m%d')", f"case when length({text[1]}) = 8 then cast(try_strptime({text[1]}, '%Y%m%d') as date) end"
        value = self.make("time", depth)
        return f"cast({value[0]} as date)", f"cast({value[1]} as date)"

    def time(self, depth):
        if self.rng.random() < 0.7:
            return call("date_trunc", "date_trunc", plain(quoted(self.rng.choice(TIME_UNITS))), self.make("time", depth))
        value = self.make("date", depth)
        return f"cast({value[0]} as timestamp)", f"cast({value[1]} as timestamp)"
