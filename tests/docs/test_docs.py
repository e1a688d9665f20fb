"""Documents are true: their blocks run, their links lead somewhere, and they stay short.

A block runs when the comment before its fence says so:
    <!-- run: file NAME -->        is written to NAME
    <!-- run: job -->              is written to jobs/<its name>.yaml
    <!-- run: shell -->            runs in bash, must succeed; `shell fails N` must end with exit code N
    <!-- run: python -->           runs in the project's Python
    <!-- run: shows -->            each of its lines stands in what the block before printed
"""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

BLOCK = re.compile(r"<!-- run: (?P<how>[^>]*?) -->\n```\w*\n(?P<text>.*?)```", re.DOTALL)
LINK = re.compile(r"\]\((?!https?:|#)([^)#]+)")
DOCUMENTS = ["README.md", "ARCHITECTURE.md", "CONTRIBUTING.md", "CHANGELOG.md", "docs/guide/index.md",
             "docs/guide/first-run.md", "docs/guide/clusters.md", "docs/guide/functions.md", "examples/active_companies/README.md"]
MAX_LINES = {"README.md": 300, "ARCHITECTURE.md": 200}


class Session:
    """A folder and a shell in it, with the program on its PATH."""

    def __init__(self, folder, binary, root):
        self.folder, self.root, self.said = folder, root, ""
        programs = folder / ".bin"
        programs.mkdir()
        (programs / "mutirao").symlink_to(binary)
        # As if it were installed: the program and the headers of the C++ API.
        self.environment = {"CPLUS_INCLUDE_PATH": str(root / "include"), "PATH": f"{programs}:{root}/.venv/bin:/usr/bin:/bin", "HOME": str(folder), "NO_COLOR": "1"}
        self.cwd = folder

    def shell(self, script, code=0):
        place = self.folder / ".bin" / "cwd"
        done = subprocess.run(["bash", "-ec", f"{script}\npwd > {place}"], cwd=self.cwd, env=self.environment, text=True,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL, timeout=120)
        self.said = done.stdout
        assert done.returncode == code, f"{script}\nended with {done.returncode}:\n{self.said}"
        if code == 0:
            self.cwd = place.read_text().strip()

    def do(self, how, text):
        kind, *rest = how.split()
        if kind in ("file", "job"):
            name = rest[0] if kind == "file" else f"jobs/{yaml.safe_load(text)['name']}.yaml"
            self.write(name, text)
        elif kind == "shell":
            self.shell(text, int(rest[1]) if rest else 0)
        elif kind == "python":
            self.write(".block.py", text)
            self.shell(f"{sys.executable} .block.py")
        elif kind == "shows":
            for line in text.strip().splitlines():
                assert line in self.said, f"{line!r} is not in:\n{self.said}"
        else:
            raise AssertionError(f"nobody knows how to run: {how}")

    def write(self, name, text):
        path = Path(self.cwd) / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


@pytest.mark.parametrize("document", ["README.md", "docs/guide/first-run.md", "docs/guide/clusters.md", "docs/guide/functions.md"])
def test_blocks_run_and_show_what_they_say(document, root, binary, dump, tmp_path):
    blocks = list(BLOCK.finditer((root / document).read_text()))
    assert blocks
    session = Session(tmp_path, binary, root)
    if document == "README.md":
        shutil.copytree(dump, tmp_path / "data")
    for block in blocks:
        session.do(block["how"], block["text"])


def test_the_examples_own_commands_run(root, binary, tmp_path):
    shutil.copytree(root / "examples" / "active_companies", tmp_path / "example")
    text = (root / "examples" / "active_companies" / "README.md").read_text()
    session = Session(tmp_path / "example", binary, root)
    session.shell(re.search(r"```sh\n(.*?)```", text, re.DOTALL)[1])
    assert (tmp_path / "example" / "out" / "southeast").is_dir()


def test_the_demo_runs(root, binary, tmp_path):
    session = Session(tmp_path, binary, root)
    session.shell(f"{root}/examples/demo.sh {binary} {tmp_path}/demo")
    assert "856 active establishments" in session.said


@pytest.mark.parametrize("document", DOCUMENTS)
def test_links_lead_somewhere(document, root):
    path = root / document
    missing = [link for link in LINK.findall(path.read_text()) if not (path.parent / link).exists()]
    assert not missing


@pytest.mark.parametrize("document, lines", MAX_LINES.items())
def test_documents_stay_short(document, lines, root):
    assert len((root / document).read_text().splitlines()) <= lines


def test_folders_of_the_map_exist(root):
    folders = re.findall(r"^\| `((?:src|include)/[a-z/]+)`", (root / "ARCHITECTURE.md").read_text(), re.MULTILINE)
    rooms = [line.split(":")[0] for line in (root / "src" / "layers.txt").read_text().splitlines() if re.match(r"\w+:", line)]
    assert folders == ["include/mutirao/"] + [f"src/{room}/" for room in rooms]


def test_benchmark_table_is_what_the_results_say(root):
    done = subprocess.run([sys.executable, root / "bench" / "table.py", "--check"], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_the_index_of_the_guide_links_every_page(root):
    guide = root / "docs/guide"
    links = LINK.findall((guide / "index.md").read_text())
    pages = {page.name for page in guide.glob("*.md")} - {"index.md"}
    assert pages - set(links) == set()
