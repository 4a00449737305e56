"""What deploy/ says exists: settings, paths, ports and limits agree with the code, and each file passes its own tool or our rules."""

import configparser
import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from server.config import Config, all_declared
from server.config.loading import load
from server.doors.limits import GatewayLimits
from server.http.health import Health
from server.http.operation import operations_of
from tests.harness.bell import PATIENCE

HOUSE = Path(__file__).parents[1]
DEPLOY = HOUSE / "deploy"
FILES = sorted(path for path in DEPLOY.rglob("*") if path.is_file() and "__pycache__" not in path.parts)
PINNED = re.compile(r"[a-z]+:\d+\.\d+(\.\d+)?-[a-z-]+")


def text_of(name: str) -> str:
    return (DEPLOY / name).read_text()


def compose() -> Any:
    return yaml.safe_load(text_of("compose.yaml"))


def directives(name: str, word: str) -> list[str]:
    """What follows a word at the beginning of a configuration's lines."""
    return re.findall(rf"^\s*{word}\s+([^#;\n]+?)\s*;?(?:\s*#.*)?$", text_of(name), re.MULTILINE)


def seconds(duration: str) -> float:
    number, unit = re.fullmatch(r"(\d+)(ms|s|m)", duration).groups()  # type: ignore[union-attr]
    return int(number) * {"ms": 0.001, "s": 1, "m": 60}[unit]


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.relative_to(DEPLOY).as_posix())
def test_every_setting_that_is_named_exists(path: Path) -> None:
    named = set(re.findall(r"MANYHANDS_[A-Z_]+[A-Z]", path.read_text()))
    assert named <= {each.variable for each in all_declared()}


def test_the_paths_that_are_asked_for_exist() -> None:
    asked = {
        path for file in FILES for path in re.findall(r"(?:uri |path: |:8000)(/(?:health|ready)\w*)", file.read_text())
    }
    assert asked == {"/health", "/ready"} == {each.path for each in operations_of(Health)}


def check_by_haproxy(config: Path) -> None:
    haproxy = shutil.which("haproxy") or "/usr/sbin/haproxy"
    assert Path(haproxy).exists(), "HAProxy is missing: `make test` installs it, or apt-get install haproxy"
    checked = subprocess.run([haproxy, "-c", "-f", str(config)], capture_output=True, text=True, check=False)
    assert checked.returncode == 0, checked.stderr
    assert "WARNING" not in checked.stderr


def test_haproxy_accepts_its_configuration() -> None:
    check_by_haproxy(DEPLOY / "haproxy.cfg")


def steps() -> list[list[str]]:
    """The commands of "More than one core", step by step."""
    section = text_of("README.md").partition("## More than one core\n")[2].partition("\n## ")[0]
    return [
        re.findall("^ {7}(.+)", step, re.MULTILINE) for step in re.split(r"^\d\. ", section, flags=re.MULTILINE)[1:]
    ]


@pytest.mark.parametrize("more", ["4", "4 5 11"])
def test_haproxy_is_given_a_further_node_by_the_commands_of_the_readme(tmp_path: Path, more: str) -> None:
    copy, grow, lower, check = steps()[3]
    assert check == "haproxy -c -f /etc/haproxy/haproxy.cfg && systemctl restart haproxy"
    commands = "\n".join([copy, grow.replace("for n in 4;", f"for n in {more};"), lower])
    config = tmp_path / "haproxy.cfg"
    subprocess.run(
        ["bash", "-ec", commands.replace("/etc/haproxy/haproxy.cfg", str(config))],
        cwd=HOUSE,
        check=True,
        timeout=PATIENCE,
    )
    check_by_haproxy(config)
    numbers = {1, 2, 3, *map(int, more.split())}
    for backend, tracked in zip(
        re.split(r"^backend .*$", config.read_text(), flags=re.MULTILINE)[1:], "-+-", strict=True
    ):
        assert sorted(re.findall(r"^\s*server .*$", backend, re.MULTILINE)) == sorted(
            f'    server node-{each} "${{NODE_{each}-127.0.0.1:{8000 + each}}}"'
            + (f" track nodes/node-{each}" if tracked == "+" else "")
            for each in numbers
        )
    assert "global\n    user haproxy\n    group haproxy\n" in config.read_text()


def test_the_nodes_that_systemd_runs_are_those_that_haproxy_finds() -> None:
    _, settings, nodes, balancer, _ = steps()
    assert "systemctl enable --now manyhands@{8001..8004}" in nodes
    assert any("for n in 4;" in line for line in balancer)
    variables = {line.partition("=")[0]: line.partition("=")[2] for line in settings if line.startswith("MANYHANDS_")}
    config = load(variables, {"port": "8001"})
    assert config.places.database_url is not None
    assert config.places.redis_url is not None
    assert config.listen.trusted_proxies == ("127.0.0.1/32",)
    assert config.http.ready_seconds < seconds(directives("haproxy.cfg", "timeout check")[0])


def test_haproxy_keeps_a_document_together_and_leaves_nodes_that_are_not_ready() -> None:
    config = text_of("haproxy.cfg")
    _, nodes, polling, last_resort = re.split(r"^backend .*$", config, flags=re.MULTILINE)
    assert "url_param(document)" in config
    assert "uri /ready " in nodes
    assert "uri /ready " in last_resort
    assert "expect status 503" in last_resort  # a node that is ready is left for `nodes`
    assert "balance-factor" not in polling  # a session's first requests must meet
    for backend in (nodes, polling, last_resort):
        assert "hash-type consistent" in backend
        assert "on-marked-down shutdown-sessions" in backend
        assert re.findall(r"^\s*server (\S+) \"\$\{(\w+)-127\.0\.0\.1:(\d+)\}\"", backend, re.MULTILINE) == [
            (f"node-{number}", f"NODE_{number}", str(8000 + number)) for number in (1, 2, 3)
        ]
    assert "set-header X-Forwarded-For %[src]" in config
    assert "del-header X-Forwarded-Host" in config
    assert "stats" not in config


def test_nginx_has_the_same_rules() -> None:
    assert directives("nginx.conf", "hash") == ["$affinity consistent"]
    assert directives("nginx.conf", "default") == ["$arg_document", "upgrade"]
    assert {"Upgrade $http_upgrade", "X-Forwarded-For $remote_addr"} <= set(
        directives("nginx.conf", "proxy_set_header")
    )
    assert len(directives("nginx.conf", "server")) == 4  # three nodes and the block that listens


def test_balancers_outwait_a_quiet_connection_and_nodes_answer_before_balancers_give_up() -> None:
    limits = GatewayLimits()
    quiet = limits.ping_interval + limits.ping_timeout
    assert seconds(directives("haproxy.cfg", "timeout tunnel")[0]) > quiet
    assert seconds(directives("haproxy.cfg", "timeout server")[0]) > limits.ping_interval
    assert seconds(directives("nginx.conf", "proxy_read_timeout")[0]) > quiet
    ready_seconds = float(compose()["services"]["node-1"]["environment"]["MANYHANDS_READY_SECONDS"])
    assert ready_seconds < seconds(directives("haproxy.cfg", "timeout check")[0])
    body = int(directives("nginx.conf", "client_max_body_size")[0].removesuffix("m"))
    assert body * 2**20 > Config().http.max_attachment_bytes


def test_whoever_stops_a_node_gives_it_the_time_it_takes() -> None:
    needed = Config().shutdown.shutdown_seconds
    assert seconds(compose()["services"]["node-1"]["stop_grace_period"]) > needed
    for name in UNITS:
        assert float(unit(name)["Service"]["TimeoutStopSec"]) > needed


def instructions() -> list[tuple[str, str]]:
    """The Dockerfile's, one line each, comments left out."""
    lines = re.sub(r"\\\n\s*", " ", re.sub(r"^#.*\n", "", text_of("Dockerfile"), flags=re.MULTILINE)).splitlines()
    return [(line.split()[0], line.partition(" ")[2]) for line in lines if line.strip()]


def test_the_image_is_made_by_the_rules() -> None:
    stages = [argument.split()[0] for word, argument in instructions() if word == "FROM"]
    assert len(stages) == 3
    assert all(PINNED.fullmatch(stage) for stage in stages)
    last = instructions()[max(place for place, (word, _) in enumerate(instructions()) if word == "FROM") :]
    assert [argument for word, argument in last if word == "USER"] == ["10001"]
    for word, argument in instructions():
        assert word not in ("ADD", "MAINTAINER", "SHELL")
        if word in ("RUN", "CMD", "ENTRYPOINT"):
            assert all(isinstance(part, str) for part in json.loads(argument)), "shell form"
    health = dict(last)["HEALTHCHECK"]
    assert "/ready" in health
    assert json.loads(health[health.index("[") :])[0] == "python"


def test_the_image_is_made_of_what_there_is() -> None:
    allowed = {line[1:] for line in text_of("Dockerfile.dockerignore").splitlines() if line.startswith("!")}
    for word, argument in instructions():
        if word == "COPY" and not argument.startswith("--from"):
            for source in argument.split()[:-1]:
                assert (HOUSE / source).exists(), source
                assert source.split("/")[0] in allowed, source


def test_npm_finds_every_package_that_its_lock_file_names() -> None:
    packages = json.loads((HOUSE / "client_web" / "package.json").read_text())["workspaces"]
    install = next(place for place, (_, argument) in enumerate(instructions()) if '"npm", "ci"' in argument)
    copied = {argument for word, argument in instructions()[:install] if word == "COPY"}
    assert {f"client_web/{name}/package.json {name}/" for name in packages} <= copied


def test_the_composed_cluster_has_every_part_and_only_the_balancer_is_reached() -> None:
    services = compose()["services"]
    assert set(services) == {"haproxy", "node-1", "node-2", "node-3", "redis", "postgres"}
    assert {name for name, service in services.items() if "ports" in service} == {"haproxy"}
    assert all(port.startswith("127.0.0.1:") for port in services["haproxy"]["ports"])
    for name, service in services.items():
        assert set(service.get("depends_on", {})) <= set(services)
        assert service["networks"] == ["inside"]
        if not name.startswith("node"):
            assert PINNED.fullmatch(service["image"])
    variables = set(re.findall(r"\$\{(\w+)", text_of("haproxy.cfg")))
    assert set(services["haproxy"]["environment"]) == variables
    subnet = compose()["networks"]["inside"]["ipam"]["config"][0]["subnet"]
    assert services["node-1"]["environment"]["MANYHANDS_TRUSTED_PROXIES"] == subnet
    assert compose()["volumes"].keys() == {"documents"}


UNITS = ("manyhands.service", "manyhands@.service")


def unit(name: str) -> configparser.ConfigParser:
    parser = configparser.ConfigParser(strict=False, interpolation=None)
    parser.optionxform = str  # type: ignore[assignment,method-assign]
    parser.read_string(text_of(name))
    return parser


def test_the_unit_is_locked_in_and_stops_in_good_order() -> None:
    service = unit("manyhands.service")["Service"]
    assert service["KillSignal"] == "SIGTERM"
    assert service["NoNewPrivileges"] == "yes"
    assert service["ProtectSystem"] == "strict"
    assert service["StateDirectory"] == "manyhands"
    assert service["ExecStart"].split()[1:] == ["serve"]


def test_one_of_several_nodes_differs_from_the_only_one_by_its_port_and_its_place() -> None:
    only, one = (set(text_of(name).partition("[Service]\n")[2].splitlines()) for name in UNITS)
    assert one - only == {
        "ExecStart=/opt/manyhands/bin/manyhands serve --port %i",
        "EnvironmentFile=/etc/manyhands.env",
    }
    assert only - one == {
        "ExecStart=/opt/manyhands/bin/manyhands serve",
        "Environment=MANYHANDS_DATA_DIR=/var/lib/manyhands",
        "EnvironmentFile=-/etc/manyhands.env",
        "StateDirectory=manyhands",
        "StateDirectoryMode=0700",
    }


@pytest.mark.parametrize("name", UNITS)
def test_systemd_finds_nothing_wrong_with_the_unit(name: str) -> None:
    """On machines that have systemd's tools; the program that is not installed here does not count."""
    if (analyze := shutil.which("systemd-analyze")) is not None:
        verified = subprocess.run([analyze, "verify", str(DEPLOY / name)], capture_output=True, text=True, check=False)
        complaints = [line for line in verified.stderr.splitlines() if "manyhands" in line]
        assert [line for line in complaints if "is not executable" not in line] == []


def test_every_link_in_the_readme_leads_somewhere() -> None:
    links = re.findall(r"\]\((?!https?:)([^)#]+)", text_of("README.md"))
    assert [link for link in links if not (DEPLOY / link).exists()] == []
