"""Check the order of the rooms and a few rules of the tree that a reviewer would otherwise have to remember.

Usage: layers.py [ROOT]. Prints one line per breach, `file:line: what`, and exits 1 when there is one.
"""

import re
import sys
from pathlib import Path

ARROW_FREE = {"base", "net", "orchestration", "web"}
VAGUE_NAME = re.compile(r"(^|[_.-])(utils?|helpers?|common|misc|managers?)([_.-]|$)", re.IGNORECASE)
SOURCE_SUFFIXES = {".h", ".cc", ".cpp", ".inc"}
INCLUDE = re.compile(r'^\s*#\s*include\s*([<"])([^>"]+)[>"]')
NAMED_FOLDERS = ("src", "include", "tests", "bench", "fuzz", "examples", "python", "ui/src", "tools", "cmake")


def read_rows(layers_file):
    """Give {room: allowed rooms} and the breaches in the table itself."""
    rows, breaches = {}, []
    for number, line in enumerate(layers_file.read_text().splitlines(), 1):
        text = line.split("#", 1)[0].strip()
        if not text:
            continue
        room, _, allowed = text.partition(":")
        room, allowed = room.strip(), allowed.split()
        for other in allowed:
            if other not in rows:
                breaches.append(f"{layers_file}:{number}: {room} names {other}, which is not an earlier row")
        if room in rows:
            breaches.append(f"{layers_file}:{number}: a second row for {room}")
        rows[room] = set(allowed)
    return rows, breaches


def sources(folder):
    return sorted(p for p in folder.rglob("*") if p.suffix in SOURCE_SUFFIXES and p.is_file())


def includes(path):
    """Yield (line number, is_quoted, included path)."""
    for number, line in enumerate(path.read_text(errors="replace").splitlines(), 1):
        if found := INCLUDE.match(line):
            yield number, found[1] == '"', found[2]


def check_rooms(root, rows):
    src = root / "src"
    for folder in sorted(p for p in src.iterdir() if p.is_dir()):
        if folder.name not in rows:
            yield f"{folder.relative_to(root)}:1: no row for this folder in src/layers.txt"
    for path in sources(src):
        room = path.relative_to(src).parts[0]
        allowed = rows.get(room, set()) | {room}
        for number, quoted, target in includes(path):
            place = f"{path.relative_to(root)}:{number}"
            first = target.split("/")[0]
            if not quoted:
                if first in ("arrow", "parquet") and room in ARROW_FREE:
                    yield f"{place}: {room} must not include <{target}>"
                if first in rows:
                    yield f"{place}: write \"{target}\", not <{target}>"
            elif first == "mutirao":
                yield f"{place}: write <{target}>, not \"{target}\""
            elif "/" not in target or first not in rows:
                yield f"{place}: \"{target}\" does not name a room; write \"room/file.h\""
            elif first not in allowed:
                yield f"{place}: {room} must not include {first} (\"{target}\")"
            elif not (src / target).is_file():
                yield f"{place}: \"{target}\" does not exist"


def check_public_headers(root, rows):
    public = root / "include" / "mutirao"
    for path in sources(public) if public.is_dir() else ():
        for number, quoted, target in includes(path):
            if quoted or target.split("/")[0] in rows:
                yield f"{path.relative_to(root)}:{number}: a public header must not include {target} of src/"


def check_include_cycles(root):
    """Header cycles, which `#pragma once` hides."""
    src = root / "src"
    edges = {}
    for path in sources(src):
        name = str(path.relative_to(src))
        edges[name] = [(n, t) for n, quoted, t in includes(path) if quoted and (src / t).is_file()]
    done, stack = set(), []

    def visit(name):
        stack.append(name)
        for number, target in edges.get(name, ()):
            if target in stack:
                yield f"src/{name}:{number}: include cycle {' -> '.join(stack[stack.index(target):] + [target])}"
            elif target not in done:
                yield from visit(target)
        stack.pop()
        done.add(name)

    for name in edges:
        if name not in done:
            yield from visit(name)


def check_names(root):
    for top in NAMED_FOLDERS:
        for path in sorted((root / top).rglob("*")) if (root / top).is_dir() else ():
            if "__pycache__" in path.parts or "node_modules" in path.parts:
                continue
            if VAGUE_NAME.search(path.name):
                yield f"{path.relative_to(root)}:1: the name does not say what is inside"


NOT_CODE = re.compile(
    r'R"(?P<d>[^\s()\\]{0,16})\(.*?\)(?P=d)"|//[^\n]*|/\*.*?\*/|"(?:\\.|[^"\\\n])*"|(?<![0-9A-Za-z_])\'(?:\\.|[^\'\\\n])+\'',
    re.DOTALL)
DIRECTIVE = re.compile(r"^[ \t]*#(?:[^\n]*\\\n)*[^\n]*", re.MULTILINE)
TRY = "MUTIRAO_TRY("
BLOCK_WORDS = ("else", "do", "try", "const", "noexcept", "override", "final", "mutable")
BLOCK_STARTS = re.compile(r"^\s*(template\s*<.*>\s*)?(inline\s+)?(namespace|struct|class|enum|union|extern|export)\b", re.DOTALL)
STANDS_ALONE = re.compile(r"(^|=|\breturn|\belse|:|\)|\bcase\b.*:)\s*$", re.DOTALL)


def blank(match):
    return re.sub(r"[^\n]", " ", match[0])


def opens_block(statement):
    """Say whether a `{` after this text opens a block rather than a braced initialiser."""
    text = statement.rstrip()
    if not text or text[-1] in ")]:;":
        return True
    if BLOCK_STARTS.match(text) or re.search(r"\)\s*(const|mutable|noexcept)*\s*->[^;{}]*$", text):
        return True
    return text.split()[-1].split(")")[-1] in BLOCK_WORDS


def misplaced_tries(text):
    """Yield (line, what) for each MUTIRAO_TRY inside a braced initialiser or an argument list."""
    text = DIRECTIVE.sub(blank, NOT_CODE.sub(blank, text))
    stack, start = [], 0  # brackets: (kind, where the text before them began)
    for at, char in enumerate(text):
        if text.startswith(TRY, at) and not (at and (text[at - 1].isalnum() or text[at - 1] == "_")):
            line = text.count("\n", 0, at) + 1
            kind = stack[-1][0] if stack else "block"
            if kind == "init":
                yield line, "MUTIRAO_TRY inside a braced initialiser"
            elif kind == "args":
                yield line, "MUTIRAO_TRY inside an argument list"
            elif kind == "block" and not STANDS_ALONE.search(text[start:at]):
                yield line, "MUTIRAO_TRY inside an expression"
        if char == "(":
            before = text[start:at].rstrip()
            kind = "condition" if re.search(r"\b(if|while|switch|for|constexpr)$", before) else "args"
            stack.append((kind, start))
            start = at + 1
        elif char == "{":
            parent_is_init = bool(stack) and stack[-1][0] == "init" and not text[start:at].strip()
            stack.append(("block" if opens_block(text[start:at]) and not parent_is_init
                          and not (stack and stack[-1][0] == "args" and not text[start:at].strip()) else "init", start))
            start = at + 1
        elif char in ")}" and stack:
            kind, outer = stack.pop()
            start = at + 1 if kind == "block" else outer
        elif char == ";" and (not stack or stack[-1][0] == "block"):
            start = at + 1
        elif char == "," and stack and stack[-1][0] in ("args", "init"):
            start = at + 1


def check_tries(root):
    for top in ("src", "include", "examples", "bench"):
        for path in sources(root / top) if (root / top).is_dir() else ():
            for number, what in misplaced_tries(path.read_text(errors="replace")):
                yield f"{path.relative_to(root)}:{number}: {what}"


def check(root):
    root = Path(root)
    rows, breaches = read_rows(root / "src" / "layers.txt")
    breaches += check_rooms(root, rows)
    breaches += check_public_headers(root, rows)
    breaches += check_include_cycles(root)
    breaches += check_names(root)
    breaches += check_tries(root)
    return breaches


if __name__ == "__main__":
    found = check(sys.argv[1] if len(sys.argv) > 1 else Path(__file__).resolve().parents[2])
    print("\n".join(found) if found else "the order of the rooms holds")
    sys.exit(1 if found else 0)
