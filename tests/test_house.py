"""The house in order: what documents say exists, and nothing of this machine or of a registry is in them."""

import importlib.metadata
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

HOUSE = Path(__file__).parents[1]
OURSELVES = Path(__file__).relative_to(HOUSE)


def tracked(*endings: str) -> list[Path]:
    """Return the repository's files with these endings, by their paths in it: its own place may have any name."""
    listing = subprocess.run(["git", "ls-files", "-z"], cwd=HOUSE, capture_output=True, check=True, text=True).stdout
    return [Path(name) for name in listing.split("\0") if name.endswith(endings) and (HOUSE / name).is_file()]


def text_of(path: Path) -> str:
    return (HOUSE / path).read_text()


@pytest.mark.parametrize("document", [str(page) for page in tracked(".md")])
def test_every_link_within_the_repository_leads_somewhere(document: str) -> None:
    page = HOUSE / document
    links = re.findall(r"\]\((?!https?:)([^)#]+)", page.read_text())
    missing = [link for link in links if not (page.parent / link).exists()]
    assert missing == []


def prose(page: Path) -> Iterator[tuple[int, str]]:
    """The lines of a Markdown page that are no table, no code and no single piece that cannot be broken."""
    fenced = False
    for number, line in enumerate(text_of(page).splitlines(), 1):
        fenced ^= line.lstrip().startswith("```")
        if fenced or line.lstrip().startswith("|") or line.startswith("    "):
            continue
        without_marker = re.sub(r"^\s*([-*]|\d+\.) ", "", line.strip())
        if " " in re.sub(r"`[^`]*`", "code", without_marker):
            yield number, line


def test_prose_in_markdown_wraps_at_100_columns() -> None:
    wide = [f"{page}:{number}" for page in tracked(".md") for number, line in prose(page) if len(line) > 100]
    assert wide == []


def test_every_python_file_begins_with_a_sentence() -> None:
    silent = [
        str(path)
        for path in tracked(".py")
        if text_of(path).strip() and "migrations" not in path.parts and not text_of(path).startswith(('"""', 'r"""'))
    ]
    assert silent == []


def test_lock_files_name_no_place_to_download_from() -> None:
    names = (
        "requirements.lock",
        "requirements-dev.lock",
        "client_web/package-lock.json",
        "tests/bench/peers/package-lock.json",
        "tests/doors/package-lock.json",
    )
    locks = [HOUSE / name for name in names]
    found = {
        str(lock): re.findall(r'"resolved": "http|index[-]url|https?://\S*(?:simple|\.whl|\.tgz)', lock.read_text())
        for lock in locks
    }
    assert {name: hits for name, hits in found.items() if hits} == {}


def pins_of(lock: str) -> list[Requirement]:
    """What a lock file pins, each with the condition under which it is needed; the hashes are left out."""
    text = (HOUSE / lock).read_text().replace("\\\n", "")
    return [Requirement(line.split("--hash")[0]) for line in text.splitlines() if line.strip()]


def test_python_locks_pin_everything_by_its_hash() -> None:
    for lock in ("requirements.lock", "requirements-dev.lock"):
        text = (HOUSE / lock).read_text().replace("\\\n", "")
        pinned = re.compile(r"[A-Za-z0-9._-]+==\S+( +; [^-]+)?( +--hash=sha256:[0-9a-f]{64})+ *")
        assert all(pinned.fullmatch(line) for line in text.splitlines() if line.strip()), lock


@pytest.mark.parametrize("release", ["3.11.0", "3.11.2", "3.12.0", "3.13.0"])
@pytest.mark.parametrize("lock", ["requirements.lock", "requirements-dev.lock"])
def test_a_lock_holds_what_another_release_of_python_needs(lock: str, release: str) -> None:
    """Debian 12 has Python 3.11.2, and a lock written by a newer one lacked what redis-py needs there."""
    there = {"python_full_version": release, "python_version": release.rpartition(".")[0], "extra": ""}
    pins = {canonicalize_name(pin.name): pin for pin in pins_of(lock)}
    held = {name for name, pin in pins.items() if pin.marker is None or pin.marker.evaluate(there)}
    missing = [
        f"{wanted} for {distribution.name}"
        for distribution in importlib.metadata.distributions()
        if canonicalize_name(distribution.name) in held
        for wanted in map(Requirement, distribution.requires or [])
        if (wanted.marker is None or wanted.marker.evaluate(there)) and canonicalize_name(wanted.name) not in held
    ]
    assert missing == []


def test_tests_do_not_skip_and_do_not_sleep() -> None:
    """Browsers, clusters, benchmarks and installations wait for the world outside; everything else is given its time."""
    outside = {"e2e", "cluster", "bench", "test_packages.py"}
    pattern = re.compile(r"time\.sleep\(|mock\.patch|pytest\.skip\(|mark\.(skip|xfail)")
    guilty = [
        str(path)
        for path in tracked(".py")
        if "tests" in path.parts
        and not outside & set(path.parts)
        and path != OURSELVES
        and pattern.search(text_of(path))
    ]
    assert guilty == []


def test_no_test_says_by_itself_how_long_something_may_take() -> None:
    """What a quiet machine does in ten seconds takes a busy one longer: `PATIENCE` and `given_time` are for all (tests/harness/bell.py)."""
    pattern = re.compile(
        r"asyncio\.timeout\([\d.]+\)|wait_for\(.*, [\d.]+\)|until\(.*, (\d\d|\d*\.\d)[\d.]*\)|[^_]timeout=[1-9][\d.]*[,)]"
    )
    guilty = [
        f"{path}:{number}"
        for path in tracked(".py")
        if "tests" in path.parts and not {"bench", "simulation"} & set(path.parts) and path != OURSELVES
        for number, line in enumerate(text_of(path).splitlines(), 1)
        if pattern.search(line)
    ]
    assert guilty == []


@pytest.mark.slow
def test_the_browsers_lock_file_is_whole() -> None:
    """npm writes a lock without the optional packages that it could not find, and `npm ci` then refuses it everywhere."""
    check = ["npm", "ci", "--dry-run", "--offline", "--ignore-scripts"]
    done = subprocess.run(check, cwd=HOUSE / "client_web", capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
