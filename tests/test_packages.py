"""The packages as people get them: what is in them, and that what they install serves the editor."""

import json
import os
import re
import shutil
import subprocess
import sys
import venv
import zipfile
from pathlib import Path, PurePosixPath

import httpx
import pytest

from tests.harness.bell import PATIENCE
from tests.harness.processes import mortal
from tests.server.server_process import server_process

pytestmark = pytest.mark.slow

HOUSE = Path(__file__).parents[1]
PAGES = Path("client_web/editor/dist")
PIP = (sys.executable, "-m", "pip")
BUILD = (sys.executable, "-m", "build")


def run(*command: str | Path, at: Path = HOUSE, **variables: str) -> subprocess.CompletedProcess[str]:
    words = mortal(*(str(each) for each in command))
    environ = {**os.environ, **variables}
    return subprocess.run(words, cwd=at, env=environ, capture_output=True, text=True, check=False)


def succeed(*command: str | Path, at: Path = HOUSE) -> str:
    """Run a command that has to go well; what it printed."""
    done = run(*command, at=at)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture
def build_tools(tmp_path: Path) -> Path:
    """A directory with what builds the packages. This alone says whether the registry is there: everybody has setuptools."""
    wheels = tmp_path / "wheels"
    patience = ("--retries", "1", "--timeout", str(PATIENCE / 4))
    done = run(*PIP, "download", *patience, "--no-deps", "--dest", wheels, "setuptools>=77")
    if done.returncode != 0:
        pytest.skip(
            f"pip cannot reach a package registry, without which nothing is installed: {done.stderr.splitlines()[-1]}"
        )
    return wheels


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """What git knows of the repository, without built pages."""
    copy = tmp_path / "tree"
    for name in filter(None, succeed("git", "ls-files", "-z").split("\0")):
        if (HOUSE / name).is_file():
            (copy / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(HOUSE / name, copy / name)
    return copy


def build(tree: Path, wheels: Path, *command: str) -> subprocess.CompletedProcess[str]:
    """Build packages with nothing but the wheels that are there."""
    return run(*command, at=tree, PIP_NO_INDEX="1", PIP_FIND_LINKS=str(wheels))


def contents(wheel: Path) -> dict[str, bytes]:
    with zipfile.ZipFile(wheel) as files:
        return {name: files.read(name) for name in files.namelist()}


def files_below(directory: Path) -> dict[str, bytes]:
    return {
        path.relative_to(directory).as_posix(): path.read_bytes() for path in directory.rglob("*") if path.is_file()
    }


@pytest.mark.parametrize("command", [(*PIP, "wheel", ".", "--no-deps"), (*BUILD, "--sdist")], ids=["wheel", "sdist"])
def test_no_package_is_made_without_the_pages(build_tools: Path, tree: Path, command: tuple[str, ...]) -> None:
    done = build(tree, build_tools, *command)
    assert done.returncode != 0
    assert f"error: There are no built pages in {PAGES}: run `make dist`" in done.stdout + done.stderr


def test_the_wheel_is_the_program_and_the_pages_whatever_it_is_built_from(build_tools: Path, tree: Path) -> None:
    shutil.copytree(HOUSE / PAGES, tree / PAGES)
    homes = {"manyhands": "manyhands", "crdt": "manyhands/program/crdt", "server": "manyhands/program/server"}
    program = {f"{home}/{name}": body for top, home in homes.items() for name, body in files_below(tree / top).items()}
    pages = {f"manyhands/program/server/built_pages/{name}": body for name, body in files_below(tree / PAGES).items()}
    done = build(tree, build_tools, *BUILD)  # the sdist, and the wheel from that
    assert done.returncode == 0, done.stdout + done.stderr
    [wheel] = (tree / "dist").glob("manyhands-*.whl")
    packed = contents(wheel)
    about = {name for name in packed if PurePosixPath(name).parts[0].endswith(".dist-info")}
    assert {name: body for name, body in packed.items() if name not in about} == program | pages
    [named] = [body for name, body in packed.items() if name.endswith("top_level.txt")]
    assert named == b"manyhands\n"

    left = tree / "build" / "lib" / "server"
    left.mkdir(parents=True)
    (left / "renamed_since.py").touch()
    done = build(tree, build_tools, *PIP, "wheel", ".", "--no-deps", "--wheel-dir", "straight")
    assert done.returncode == 0, done.stdout + done.stderr
    assert contents(tree / "straight" / wheel.name) == packed


async def test_what_the_wheel_installs_serves_the_editor(build_tools: Path, tree: Path, tmp_path: Path) -> None:
    shutil.copytree(HOUSE / PAGES, tree / PAGES)
    done = build(tree, build_tools, *PIP, "wheel", ".", "--no-deps", "--wheel-dir", "dist")
    assert done.returncode == 0, done.stdout + done.stderr
    [wheel] = (tree / "dist").iterdir()
    venv.create(tmp_path / "installed")
    programs, empty = tmp_path / "installed" / "bin", tmp_path / "empty"
    there = (*PIP, "--python", programs / "python")
    succeed(
        *there, "install", "--no-compile", "-r", HOUSE / "requirements.lock"
    )  # from the registry or pip's own copies
    succeed(*there, "install", "--no-compile", "--no-deps", wheel)
    succeed(*there, "check")
    empty.mkdir()
    for stray in ("crdt", "server"):
        (empty / f"{stray}.py").write_text("raise SystemExit('a stray module was imported')")
    await opens_the_editor(programs / "manyhands", empty)
    succeed(
        programs / "python", "-c", "import manyhands; manyhands.connect('https://example.org', 'a-document')", at=empty
    )


async def opens_the_editor(manyhands: Path, directory: Path) -> None:
    """As a browser does, from a server that finds nothing of ours where it is started."""
    async with (
        server_process(directory / "data", program=[str(manyhands)], directory=directory) as server,
        httpx.AsyncClient(base_url=server.url) as http,
    ):
        page = await http.get("/")
        assert (page.status_code, page.headers["content-type"]) == (200, "text/html; charset=utf-8")
        kinds = set()
        for address in re.findall(r"/assets/[\w.-]+", page.text):
            part = await http.get(address)
            assert part.status_code == 200
            kinds.add(part.headers["content-type"].partition(";")[0])
        assert kinds == {"text/javascript", "text/css"}
        made = await http.post("/api/documents", json={"title": "Story"})
        assert made.status_code == 201
        opened = await http.get(f"/api/documents/{made.json()['id']}")
        assert opened.json()["title"] == "Story"
        read = await http.get(f"/api/documents/{made.json()['id']}/content")  # which a process of the sandbox reads
        assert read.status_code == 200


@pytest.mark.parametrize("name", ["provider", "binding", "schema"])
def test_a_package_for_npm_has_code_types_readme_and_licence_and_no_tests(name: str) -> None:
    home = HOUSE / "client_web" / name
    assert (home / "dist" / "index.js").is_file(), f"the {name} has not been built: `make setup` does it"
    [package] = json.loads(succeed("npm", "pack", "--dry-run", "--json", "--ignore-scripts", at=home))
    packed = {file["path"] for file in package["files"]}
    modules = [path.stem for path in (home / "src").glob("*.ts")]
    code = {f"dist/{module}{ending}" for module in modules for ending in (".js", ".d.ts")}
    assert packed >= code | {"LICENSE", "README.md", "package.json"}
    assert all(path.startswith("dist/") for path in packed - {"LICENSE", "README.md", "package.json"})
    assert not [path for path in packed if "test" in path]
    licence = (home / "LICENSE").read_text()
    assert "The Manyhands authors" in licence
    assert "Permission is hereby granted, free of charge" in licence

    says = json.loads((home / "package.json").read_text())
    entry = says["exports"]["."]
    assert {says["types"], entry["types"], entry["default"]} <= {f"./{path}" for path in packed}
    assert says["version"] == package["version"]
    for path in (path for path in packed if path.endswith(".map")):
        assert json.loads((home / path).read_text()).get("sourcesContent"), f"{path} leads to what is not packed"
