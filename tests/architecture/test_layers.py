"""Plant each breach in a small tree and see that layers.py finds it."""

import pytest

from architecture.layers import check, misplaced_tries

LAYERS = "base:\nnet:  base\nframe: base\nweb: base net\n"


@pytest.fixture
def tree(tmp_path):
    def make(files, layers=LAYERS):
        for name, text in {"src/layers.txt": layers, "src/base/a.h": "#pragma once\n", **files}.items():
            path = tmp_path / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        return [line.replace(str(tmp_path) + "/", "") for line in check(tmp_path)]

    return make


def test_accepts_a_tree_that_keeps_the_order(tree):
    assert tree({"src/web/x.cc": '#include <mutirao/status.h>\n#include <vector>\n#include "base/a.h"\n',
                 "include/mutirao/status.h": "#include <string>\n"}) == []


@pytest.mark.parametrize("files, expected", [
    ({"src/base/x.cc": '\n#include "net/a.h"\n', "src/net/a.h": ""}, "src/base/x.cc:2: base must not include net"),
    ({"src/web/x.cc": '#include "frame/a.h"\n', "src/frame/a.h": ""}, "src/web/x.cc:1: web must not include frame"),
    ({"src/web/x_test.cc": '#include "frame/a.h"\n', "src/frame/a.h": ""}, "src/web/x_test.cc:1: web must not include frame"),
    ({"src/attic/x.cc": ""}, "src/attic:1: no row for this folder"),
    ({"src/net/x.cc": "#include <arrow/api.h>\n"}, "src/net/x.cc:1: net must not include <arrow/api.h>"),
    ({"src/web/x.cc": "#  include <parquet/file_reader.h>\n"}, "src/web/x.cc:1: web must not include <parquet/"),
    ({"include/mutirao/x.h": '#include "base/a.h"\n'}, "include/mutirao/x.h:1: a public header must not include base/a.h"),
    ({"include/mutirao/x.h": "#include <base/a.h>\n"}, "include/mutirao/x.h:1: a public header must not include base/a.h"),
    ({"src/base/x.cc": '#include "a.h"\n'}, 'src/base/x.cc:1: "a.h" does not name a room'),
    ({"src/base/x.cc": '#include "base/gone.h"\n'}, 'src/base/x.cc:1: "base/gone.h" does not exist'),
    ({"src/base/b.h": '#include "base/c.h"\n', "src/base/c.h": '#include "base/b.h"\n'},
     "src/base/c.h:1: include cycle base/b.h -> base/c.h -> base/b.h"),
    ({"src/base/string_utils.h": ""}, "src/base/string_utils.h:1: the name does not say"),
    ({"src/base/common/x.h": ""}, "src/base/common:1: the name does not say"),
    ({"src/base/x.cc": "void F() {\n  G(MUTIRAO_TRY(H()));\n}\n"}, "src/base/x.cc:2: MUTIRAO_TRY inside an argument list"),
], ids=lambda value: value if isinstance(value, str) else "")
def test_finds_a_planted_breach(tree, files, expected):
    found = tree(files)
    assert any(line.startswith(expected) for line in found), found


def test_finds_a_cycle_written_into_the_table(tree):
    assert tree({}, "base: net\nnet: base\n")[0].endswith("layers.txt:1: base names net, which is not an earlier row")


@pytest.mark.parametrize("code", [
    "auto x = MUTIRAO_TRY(F(a, {1, 2}));",
    "x = MUTIRAO_TRY(F());",
    "return MUTIRAO_TRY(F());",
    "MUTIRAO_TRY(F());",
    "if (a) MUTIRAO_TRY(F());",
    "for (int i : a) { MUTIRAO_TRY(F(i)); }",
    "auto f = [&](int i) -> Result<int> { return MUTIRAO_TRY(F(i)); };",
    "Call([&] { MUTIRAO_TRY(F()); return Status(); });",
    "switch (a) { case 1: return MUTIRAO_TRY(F()); default: MUTIRAO_TRY(G()); }",
    "auto s = \"G(MUTIRAO_TRY(x))\";  // G(MUTIRAO_TRY(x))",
    "#define X(a) G(MUTIRAO_TRY(a))",
    "char c = '\"'; MUTIRAO_TRY(F()); char d = '\"';",
    "a.b = 1'000'000; MUTIRAO_TRY(F());",
])
def test_accepts_a_try_that_stands_alone(code):
    assert list(misplaced_tries("Status T() const {\n" + code + "\n}\n")) == []


@pytest.mark.parametrize("code, what", [
    ("return Pair{MUTIRAO_TRY(F()), 2};", "braced"),
    ("return {.a = MUTIRAO_TRY(F())};", "braced"),
    ("Call({1, MUTIRAO_TRY(F())});", "braced"),
    ("std::vector<int> v{{1, 2}, {MUTIRAO_TRY(F())}};", "braced"),
    ("auto x = G(1, MUTIRAO_TRY(F()));", "argument"),
    ("auto x = MUTIRAO_TRY(G(MUTIRAO_TRY(F())));", "argument"),
    ("auto x = 1 + MUTIRAO_TRY(F());", "expression"),
])
def test_finds_a_misplaced_try(code, what):
    found = list(misplaced_tries("Status T() {\n" + code + "\n}\n"))
    assert [line for line, _ in found] == [2] and what in found[0][1], found
