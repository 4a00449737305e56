"""The bench counts right: edits are sound, found wherever they turn up, and counted once."""

import asyncio
import json
import re
import struct
import subprocess
import sys
import time
from dataclasses import dataclass, field
from os import getpid
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pycrdt import Doc, Text

from tests.bench import markdown, table
from tests.bench.__main__ import FAILED, run, scenarios
from tests.bench.edits import ROOT, Pen, marker, numbers_in
from tests.bench.meter import Meter
from tests.bench.processes import cpu_between, cpu_seconds, is_waiting, resident_bytes
from tests.bench.scenario import Pace, Scenario
from tests.bench.servers import OURS, PYCRDT, Kind
from tests.bench.websocket import BINARY, PING, PONG, TEXT, WebSocketClient, frame, split_frames


@dataclass
class Reader:
    seen: set[int] = field(default_factory=set)
    timed: bool = True


def test_a_pens_edits_are_text_in_the_order_in_which_they_were_written() -> None:
    pens, doc = (Pen(7), Pen(2**32 - 1)), Doc[Any]()
    text = doc.get(ROOT, type=Text)
    for number in range(60):
        doc.apply_update(pens[number % 2].write(number))
    everything = str(text)
    assert len(everything) == sum(pen.clock for pen in pens)
    assert sorted(numbers_in(everything.encode())) == list(range(60))


def test_scattered_edits_are_sound_and_not_in_the_order_in_which_they_were_written() -> None:
    pen, doc = Pen(7, padding=3, scattered=True), Doc[Any]()
    text = doc.get(ROOT, type=Text)
    for number in range(60):
        doc.apply_update(pen.write(number))
    found = numbers_in(str(text).encode())
    assert sorted(found) == list(range(60)) != list(found)


def test_edits_are_found_in_what_a_server_made_of_them() -> None:
    pen, doc = Pen(7), Doc[Any]()
    for number in range(30):
        doc.apply_update(pen.write(number))
    assert numbers_in(doc.get_update()) == tuple(range(30)), "one item, one update"


def test_an_edit_counts_once_for_everybody_else_and_not_for_its_author() -> None:
    meter, author, other, uncounted = Meter(), Reader(), Reader(), Reader(timed=False)
    numbers = [meter.send(author, 2) for _ in range(3)]
    payload = "".join(map(marker, numbers)).encode()
    for reader in (author, other, other, uncounted, uncounted):
        meter.arrive(reader, payload)
    assert meter.deliveries == 6
    assert meter.outstanding == 0
    assert len(meter.delays) == 3, "of the one whose delays are asked for"


@given(
    st.lists(st.tuples(st.sampled_from([TEXT, BINARY]), st.binary(max_size=200) | st.just(b"x" * 70_000)), max_size=5)
)
def test_frames_are_split_wherever_the_bytes_are_cut(messages: list[tuple[int, bytes]]) -> None:
    stream = b"".join(from_server(first, payload) for first, payload in messages)
    for cut in {0, 1, len(stream) // 3, max(0, len(stream) - 1), len(stream)}:
        before, taken, needed = split_frames(stream[:cut])
        after, rest, _ = split_frames(stream[taken:])
        assert before + after == messages
        assert taken + rest == len(stream)
        assert needed <= max(2, len(stream) - taken), "it waits for no more than there will be"


@pytest.mark.parametrize("length", [0, 125, 126, 65_535, 65_536])
def test_a_masked_frame_says_its_length(length: int) -> None:
    made = frame(BINARY, b"x" * length)
    head = made[: len(made) - length]
    assert head[1] & 0x80, "clients mask"
    assert head.endswith(b"\0\0\0\0"), "with a key that changes nothing"


def test_processor_time_and_memory_are_those_of_a_process() -> None:
    before = cpu_seconds([getpid()])
    began = time.process_time()
    while time.process_time() < began + 0.02:
        pass
    assert cpu_between(before, cpu_seconds([getpid()])) >= 0.02
    assert resident_bytes([getpid()]) > 2**20


def test_a_table_compares_the_first_server_with_the_others() -> None:
    made = table.Table("hot", "quiet", ("µs", "p99"))
    for micros in (1.0, 2.0, 9.0):
        made.add("ours", {"µs": micros, "p99": 3.0, "generator %": 20.0})
        made.add("theirs", {"µs": 8.0, "p99": float("nan"), "generator %": 95.0})
    assert made.medians()["ours"]["µs"] == 2.0
    assert made.ratios()["theirs"]["µs"] == 0.25
    assert "theirs *" in made.text(), "its generator was busy"
    assert "ours / theirs: µs 0.25\n" in made.text()


def test_a_page_gets_the_headlines_of_a_run(tmp_path: Path) -> None:
    made = table.Table("storm", "all at once", ("ms", "MB"))
    made.add("manyhands", {"ms": 4.0, "MB": 1.5, "frames": 9})
    made.add("hocuspocus + sqlite", {"ms": float("nan"), "MB": 1234.5})
    table.write_json([made], tmp_path / "run.json", {"rounds": 1})
    run = json.loads((tmp_path / "run.json").read_text())
    page = markdown.renewed(f"before\n{markdown.BEGIN}old\n{markdown.END}after\n", markdown.markdown(run))
    assert "| storm: all at once | ms | 4.00 |  |" in page
    assert "|  | MB | 1.50 | 1,234 |" in page
    assert page.startswith("before\n")
    assert page.endswith("after\n")
    assert "old" not in page


def test_every_scenario_says_what_it_compares() -> None:
    for name, scenario in scenarios().items():
        assert scenario.settings, name
        assert scenario.servers[0].name == "manyhands", name


def from_server(first: int, payload: bytes) -> bytes:
    """A frame without a mask."""
    length = len(payload)
    if length < 126:
        return bytes((first, length)) + payload
    return (
        bytes((first, 126)) + struct.pack(">H", length) + payload
        if length < 65_536
        else (bytes((first, 127)) + struct.pack(">Q", length) + payload)
    )


def test_the_pages_can_be_built_with_y_tiptap_in_place_of_the_binding() -> None:
    """The benchmark's stand-in has every name that the page takes, from y-tiptap or as its own."""
    web = Path(__file__).parents[2] / "client_web"
    built = (web / "node_modules/@tiptap/y-tiptap/dist/y-tiptap.js").read_text()
    of_y_tiptap = {name.strip() for name in re.findall(r"export \{([^}]*)\}", built)[-1].split(",")}
    own = set(re.findall(r"export (?:function|const) (\w+)", (web / "binding/bench/stock.ts").read_text()))
    taken = {
        name.strip()
        for path in (web / "editor/src").rglob("*.ts*")
        for names in re.findall(r'import \{([^}]*)\} from "@manyhands/binding"', path.read_text())
        for name in names.split(",")
        if name.strip() and not name.strip().startswith("type ")
    }
    assert "ySyncPlugin" in taken
    assert taken - of_y_tiptap - own == set()


def test_a_ping_is_answered_with_its_payload() -> None:
    """Whoever answers otherwise is hung up on by uvicorn, after 40 seconds."""
    client = WebSocketClient("/")
    client.connection_made(wire := Wire())
    client.data_received(b"HTTP/1.1 101 Switching Protocols\r\n\r\n")
    client.data_received(from_server(PING, b"0123"))
    assert wire.sent[-1] == frame(PONG, b"0123")


class Wire(asyncio.Transport):
    """Keeps what is sent."""

    def __init__(self) -> None:
        super().__init__()
        self.sent: list[bytes] = []

    def write(self, data: bytes | bytearray | memoryview) -> None:
        self.sent.append(bytes(data))


async def test_a_server_that_fails_has_no_figures_and_the_others_have_theirs(
    capsys: pytest.CaptureFixture[str],
) -> None:
    async def play(kind: Kind, _directory: Path, _pace: Pace) -> table.Figures:
        assert kind is OURS, "words are lost"
        return {"p99 ms": 7.0}

    scenario = Scenario("somebody types", (PYCRDT, OURS), {"alone": play}, ("p99 ms",))
    (result,) = await run("typing", scenario, (), Pace(), rounds=2)
    assert result.medians() == {"pycrdt-websocket": {FAILED: 1.0}, "manyhands": {"p99 ms": 7.0}}
    assert "words are lost" in capsys.readouterr().out


def test_a_process_that_has_no_core_for_its_work_is_not_at_rest() -> None:
    busy = subprocess.Popen([sys.executable, "-c", "print(flush=True)\nwhile True: pass"], stdout=subprocess.PIPE)
    idle = subprocess.Popen([sys.executable, "-c", "print(flush=True); input()"], stdin=-1, stdout=subprocess.PIPE)
    with busy, idle:
        for each in (busy, idle):
            assert each.stdout is not None
            each.stdout.readline()
        while is_waiting([idle.pid]):
            pass
        assert is_waiting([busy.pid])
        busy.kill()
        idle.kill()
