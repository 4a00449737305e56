"""The Helm chart without Helm: templates are well-formed, name only values that exist, and are YAML of the right shape.

Control lines are taken out, and what is filled in becomes a placeholder; so both sides of every
`if` are looked at.
"""

import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from server.config import all_declared

CHART = Path(__file__).parents[1] / "deploy" / "helm" / "manyhands"
TEMPLATES = sorted((CHART / "templates").iterdir())
ACTION = re.compile(r"\{\{-?\s*(.*?)\s*-?\}\}")
CONTROL = re.compile(r"((if|else|end|range|with|define|fail)\b|\$\w+ :=)")


def values() -> Any:
    return yaml.safe_load((CHART / "values.yaml").read_text())


def example() -> Any:
    """The default values with the example's over them."""
    return merged(values(), yaml.safe_load((CHART / "ci" / "example-values.yaml").read_text()))


def merged(below: Any, above: Any) -> Any:
    if not isinstance(below, dict) or not isinstance(above, dict):
        return above
    return {
        key: merged(below[key], above[key]) if key in below and key in above else {**below, **above}[key]
        for key in {**below, **above}
    }


def rendered(name: str) -> list[Any]:
    lines: list[str] = []
    for line in (CHART / "templates" / name).read_text().splitlines():
        actions = ACTION.findall(line)
        if not any(CONTROL.match(action) for action in actions):
            lines.append(placeholder(line, actions, lines))
    return [document for document in yaml.safe_load_all("\n".join(lines)) if document]


def placeholder(line: str, actions: list[str], above: list[str]) -> str:
    """One item more of what stands above with the same indentation, a list or a mapping."""
    for action in actions:
        if indented := re.search(r"\| nindent (\d+)$", action):
            indent = " " * int(indented[1])
            beside = [each for each in above if each.startswith(indent) and each[len(indent)] != " "]
            return indent + ("- " if beside and beside[-1].startswith(f"{indent}- ") else "") + "placeholder: x"
    return ACTION.sub("x", line)


@pytest.mark.parametrize("template", TEMPLATES, ids=lambda path: path.name)
def test_blocks_that_are_opened_are_closed(template: Path) -> None:
    text = template.read_text()
    assert text.count("{{") == text.count("}}") == len(ACTION.findall(text))
    depth = 0
    for action in ACTION.findall(text):
        depth += {"if": 1, "range": 1, "with": 1, "define": 1, "end": -1}.get(action.split()[0], 0)
        assert depth >= 0
    assert depth == 0


@pytest.mark.parametrize("template", TEMPLATES, ids=lambda path: path.name)
def test_only_values_that_exist_are_named(template: Path) -> None:
    for path in re.findall(r"\.Values\.([\w.]+)", template.read_text()):
        found = values()
        for part in path.split("."):
            assert part in found, path
            found = found[part]


def test_every_helper_that_is_included_is_defined() -> None:
    texts = "\n".join(template.read_text() for template in TEMPLATES)
    assert set(re.findall(r'include "([\w.]+)"', texts)) == set(re.findall(r'define "([\w.]+)"', texts))


def test_the_parts_are_what_kubernetes_calls_them() -> None:
    kinds = {
        document["kind"]: document["apiVersion"]
        for name in TEMPLATES
        if name.suffix == ".yaml"
        for document in rendered(name.name)
    }
    assert kinds == {
        "Deployment": "apps/v1",
        "HorizontalPodAutoscaler": "autoscaling/v2",
        "Ingress": "networking.k8s.io/v1",
        "PodDisruptionBudget": "policy/v1",
        "Secret": "v1",
        "Service": "v1",
    }


def test_a_pod_is_asked_how_it_is_and_given_time_to_leave() -> None:
    (deployment,) = rendered("deployment.yaml")
    pod = deployment["spec"]["template"]["spec"]
    (node,) = pod["containers"]
    assert node["livenessProbe"]["httpGet"]["path"] == "/health"
    assert node["readinessProbe"]["httpGet"]["path"] == "/ready"
    assert node["lifecycle"]["preStop"]["exec"]["command"][0] == "sleep"
    assert "terminationGracePeriodSeconds" in pod
    assert pod["securityContext"]["runAsNonRoot"] is True
    assert node["ports"] == [{"name": "http", "containerPort": 8000}]


def test_a_service_of_our_name_sets_no_variables_of_ours() -> None:
    (deployment,) = rendered("deployment.yaml")
    assert deployment["spec"]["template"]["spec"]["enableServiceLinks"] is False


@pytest.mark.parametrize(
    "url",
    [
        "unix:///run/redis.sock",
        "rediss://user:password@host:6380/0?ssl_ca_certs=/etc/ssl/our-ca.pem",
        "redis+sentinel://user:password@sentinel-1:26379,sentinel-2:26379/service",
        "rediss+cluster://user:password@host-1:6379,host-2:6379",
    ],
)
def test_the_schema_takes_every_way_to_redis(url: str) -> None:
    given = values()
    given["secret"]["redisUrl"] = url
    assert list(violations(given, schema())) == []


def test_what_the_chart_sets_itself_is_no_setting_of_the_operator() -> None:
    set_here = set(re.findall(r"- name: (MANYHANDS_\w+)", (CHART / "templates" / "deployment.yaml").read_text()))
    assert set_here == set(schema()["properties"]["settings"]["propertyNames"]["not"]["enum"])


def test_the_example_s_settings_exist() -> None:
    given = example()
    assert set(given["settings"]) | set(given["secretSettings"]) <= {each.variable for each in all_declared()}


@pytest.mark.parametrize("given", [values(), example()], ids=["defaults", "example"])
def test_the_schema_takes_the_values(given: Any) -> None:
    assert list(violations(given, schema())) == []


@pytest.mark.parametrize(
    ("path", "wrong"),
    [
        ("image.tag", "latest"),
        ("secret.databaseUrl", "sqlite:///x"),
        ("nodes.min", 0),
        ("nodes.mx", 3),
        ("insecurePublic", "yes"),
        ("auth", "password"),
        ("secretSettings.OIDC_CLIENT_SECRET", "key"),
        ("settings.PORT", "1"),
        ("settings.MANYHANDS_ALLOWED_ORIGINS", "https://twice.example.com"),
        ("origins", ["https://docs.example.com/path"]),
        ("secret.redisUrl", "http://redis"),
        ("extraEnv", [{"value": "no name"}]),
        ("pods.nodeSelector", {"disk": 1}),
    ],
)
def test_the_schema_refuses_what_cannot_be(path: str, wrong: object) -> None:
    given = values()
    *parents, last = path.split(".")
    inner = given
    for parent in parents:
        inner = inner[parent]
    inner[last] = wrong
    assert list(violations(given, schema()))


def schema() -> Any:
    return json.loads((CHART / "values.schema.json").read_text())


TYPES = {"array": list, "object": dict, "string": str, "boolean": bool, "integer": int}


def violations(value: Any, rules: Any) -> list[str]:
    """The little of JSON Schema that the chart's schema uses."""
    unknown = set(rules) - {
        "$schema", "const", "type", "properties", "required", "additionalProperties", "propertyNames", "enum", "pattern", "minimum",
        "maximum", "minLength", "not", "items",
    }  # fmt: skip
    assert not unknown, unknown
    found = []
    if "type" in rules and (
        not isinstance(value, TYPES[rules["type"]]) or (rules["type"] == "integer" and value is True)
    ):
        return [f"{value!r} is no {rules['type']}"]
    if isinstance(value, dict):
        found += _violations_inside(value, rules)
    if "const" in rules and value != rules["const"]:
        found.append(f"{value!r} is not {rules['const']!r}")
    if "enum" in rules and value not in rules["enum"]:
        found.append(f"{value!r} is none of {rules['enum']}")
    if isinstance(value, list):
        found += [each for inner in value for each in violations(inner, rules.get("items", {}))]
    if "not" in rules and not violations(value, rules["not"]):
        found.append(f"{value!r} is excluded")
    if isinstance(value, str) and (
        not re.search(rules.get("pattern", ""), value) or len(value) < rules.get("minLength", 0)
    ):
        found.append(f"{value!r} has another form")
    if isinstance(value, int) and not rules.get("minimum", value) <= value <= rules.get("maximum", value):
        found.append(f"{value!r} is out of bounds")
    return found


def _violations_inside(value: dict[str, Any], rules: Any) -> list[str]:
    found = [f"{name} is missing" for name in rules.get("required", []) if name not in value]
    for name, inner in value.items():
        found += violations(name, rules.get("propertyNames", {}))
        others = rules.get("additionalProperties", {})
        inner_rules = rules.get("properties", {}).get(name, others)
        found += [f"{name} is unknown"] if inner_rules is False else violations(inner, inner_rules)
    return found
