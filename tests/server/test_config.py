"""Settings: what is taken, what is refused, and that the documentation tells all of it."""

import re
from pathlib import Path

import pytest

import server
from crdt.budget import Rate
from crdt.permissions import Role
from crdt.protocol.messages import Limits
from server.cli.settings import default_of, markdown, values
from server.config import Config, all_declared, declared
from server.config.limits import DocumentLimits
from server.config.loading import GONE, SettingsError, load, service_links
from server.config.people import PeopleSettings
from server.people.ways_in import default_link_role
from tests.harness.tokens import signing_key


def problems(environ: dict[str, str], **options: str) -> list[str]:
    with pytest.raises(SettingsError) as refused:
        load(environ, options)
    return refused.value.problems


def test_without_any_setting_the_defaults_hold() -> None:
    assert load({}, {}) == Config()


def test_an_option_overrides_a_variable() -> None:
    config = load({"MANYHANDS_PORT": "9000", "MANYHANDS_DATA_DIR": "/srv/d"}, {"port": "0", "data_dir": None})
    assert (config.listen.port, config.places.data_dir) == (0, Path("/srv/d"))


def test_an_empty_variable_is_not_given() -> None:
    assert load({"MANYHANDS_REDIS_URL": "", "MANYHANDS_PORT": " "}, {}) == Config()


def test_other_programs_variables_are_none_of_our_business() -> None:
    assert load({"PATH": "/bin", "MANY": "1"}, {}) == Config()


def test_an_unknown_variable_is_refused_with_the_nearest_known_one() -> None:
    assert problems({"MANYHANDS_PROT": "1"}) == ["There is no setting MANYHANDS_PROT. Did you mean MANYHANDS_PORT?"]
    assert problems({"MANYHANDS_QQQQQQ": "1"})[0].startswith(
        "There is no setting MANYHANDS_QQQQQQ. `manyhands settings`"
    )


def test_what_kubernetes_tells_of_services_of_our_name_is_no_setting() -> None:
    links = {
        "MANYHANDS_SERVICE_HOST": "10.96.0.7",
        "MANYHANDS_SERVICE_PORT": "80",
        "MANYHANDS_SERVICE_PORT_HTTP": "80",
        "MANYHANDS_PORT": "tcp://10.96.0.7:80",
        "MANYHANDS_PORT_80_TCP": "tcp://10.96.0.7:80",
        "MANYHANDS_PORT_80_TCP_PROTO": "tcp",
        "MANYHANDS_PORT_80_TCP_PORT": "80",
        "MANYHANDS_PORT_80_TCP_ADDR": "10.96.0.7",
        "MANYHANDS_REDIS_SERVICE_HOST": "10.96.0.8",
        "MANYHANDS_REDIS_PORT": "tcp://10.96.0.8:6379",
        "MANYHANDS_REDIS_PORT_6379_TCP_ADDR": "10.96.0.8",
    }
    assert load(links, {}) == Config()
    assert load({**links, "MANYHANDS_HOST": "::1"}, {"port": "9000"}).listen.port == 9000
    assert service_links({**links, "MANYHANDS_HOST": "::1", "PORT": "tcp://x"}) == sorted(links)


def test_a_port_that_is_meant_as_a_setting_is_read_as_one() -> None:
    assert load({"MANYHANDS_PORT": "9000"}, {}).listen.port == 9000
    assert "There is no setting MANYHANDS_REDIS_PORT." in problems({"MANYHANDS_REDIS_PORT": "6379"})[0]


def test_a_setting_that_there_was_is_refused_with_the_page_that_says_what_to_do_now() -> None:
    (told,) = problems({"MANYHANDS_WORKERS": "4"})
    assert told == f"There is no setting MANYHANDS_WORKERS. {GONE['WORKERS']}"
    assert problems({}, workers="4") == [told]
    assert '"More than one core" in deploy/README.md' in told
    assert "\n## More than one core\n" in Path("deploy/README.md").read_text()


@pytest.mark.parametrize("name", [name for name in GONE if name != "WORKERS"])
def test_a_setting_that_became_a_constant_is_refused_with_its_value(name: str) -> None:
    (told,) = problems({f"MANYHANDS_{name}": "1"})
    assert told == f"There is no setting MANYHANDS_{name}. {GONE[name]}"
    assert "always" in told


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("PORT", "eighty"), ("PORT", "65536"), ("PORT", "-1"), ("PORT", "1e3"), ("PORT", "٣"), ("PORT", "1_000"),
        ("HOST", "http://a"), ("HOST", "a b"), ("HOST", "::zz"),
        ("LOG_LEVEL", "loud"), ("LOG_FORMAT", "xml"), ("INSECURE_PUBLIC", "maybe"),
        ("ALLOWED_ORIGINS", "docs.example.com"), ("ALLOWED_ORIGINS", "https://a/path"), ("ALLOWED_ORIGINS", "*"),
        ("ALLOWED_ORIGINS", "https://a:99999"), ("ALLOWED_ORIGINS", "null"), ("ALLOWED_ORIGINS", "https://u:p@a"),
        ("TRUSTED_PROXIES", "proxy"), ("CONNECT_SECONDS", "nan"), ("CONNECT_SECONDS", "0"), ("MAX_UPDATE_BYTES", "16MB"),
        ("DATABASE_URL", "manyhands.db"), ("DATABASE_URL", "sqlite:///"), ("DATABASE_URL", "mysql://a"),
        ("DATA_DIR", "a\0b"),
        ("JOIN_RATE", "10"), ("JOIN_RATE", "0/5"), ("JOIN_RATE", "20/10"), ("JOIN_RATE", "1/2/3"), ("JOIN_RATE", "1.5/2"),
    ],
)  # fmt: skip
def test_a_bad_value_is_refused_with_the_name_of_its_setting(variable: str, value: str) -> None:
    (problem,) = problems({f"MANYHANDS_{variable}": value})
    assert problem.startswith(f"MANYHANDS_{variable} must be ")


def test_a_bad_option_is_refused_with_the_name_of_the_option() -> None:
    assert problems({}, port="x") == ["--port must be a whole number from 0 to 65535, not 'x'."]


def test_every_problem_is_told_at_once() -> None:
    assert len(problems({"MANYHANDS_PORT": "x", "MANYHANDS_HOST": "a b", "MANYHANDS_NOTHING": "1"})) == 3


def test_urls_with_a_password_are_refused_without_telling_it() -> None:
    (redis,) = problems({"MANYHANDS_REDIS_URL": "reddis://:hunter2@localhost"})
    (postgres,) = problems({"MANYHANDS_DATABASE_URL": "mysql://me:hunter2@localhost/db"})
    assert "redis://" in redis
    assert "postgresql://" in postgres
    assert "hunter2" not in redis + postgres


def test_a_cluster_is_named_by_two_urls() -> None:
    places = load(
        {"MANYHANDS_DATABASE_URL": "postgresql://me:pw@host/db", "MANYHANDS_REDIS_URL": "redis://:pw@host"}, {}
    ).places
    assert (places.database_url, places.redis_url) == ("postgresql://me:pw@host/db", "redis://:pw@host")


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.168.1.5", "docs.example.com"])
def test_an_address_that_others_reach_needs_a_word_of_consent(host: str) -> None:
    (problem,) = problems({"MANYHANDS_HOST": host})
    assert "MANYHANDS_INSECURE_PUBLIC=1" in problem
    assert load({"MANYHANDS_HOST": host, "MANYHANDS_INSECURE_PUBLIC": "1"}, {}).listen.host == host


@pytest.mark.parametrize("host", ["127.0.0.1", "127.8.8.8", "::1", "[::1]", "localhost"])
def test_this_machine_needs_none(host: str) -> None:
    assert load({"MANYHANDS_HOST": host}, {}).listen.host == host.strip("[]")


def test_origins_are_written_as_browsers_write_them() -> None:
    config = load({"MANYHANDS_ALLOWED_ORIGINS": "https://Docs.Example.com:443/, http://[::1]:3000"}, {})
    assert config.listen.allowed_origins == ("https://docs.example.com", "http://[::1]:3000")


def test_limits_that_contradict_each_other_are_refused() -> None:
    assert "MAX_UPDATE_BYTES" in problems({"MANYHANDS_MAX_UPDATE_BYTES": "65536"})[0]
    assert "MAX_BACKLOG_BYTES" in problems({"MANYHANDS_MAX_BACKLOG_BYTES": "65536"})[0]


def test_rooms_get_every_limit_as_set() -> None:
    config = load({each.variable: str(each.default) for each in declared(DocumentLimits)}, {})
    assert config.documents.limits == Limits()
    assert load({"MANYHANDS_MAX_MEMBERS": "7"}, {}).documents.limits.members == 7


def test_names_are_unique_and_every_default_has_its_form() -> None:
    names = [each.name for each in all_declared()]
    assert len(names) == len(set(names))
    for each in all_declared():
        if isinstance(each.default, Rate):
            assert each.setting.form.parse(default_of(each)) == each.default
        if isinstance(each.default, int | float | str) and not isinstance(each.default, bool):
            assert each.setting.form.parse(f"{each.default}") == each.default


def test_the_documentation_lists_every_setting() -> None:
    written = (Path(server.__file__).parent / "SETTINGS.md").read_text(encoding="utf-8")
    assert written == markdown(), "run: manyhands settings --markdown > server/SETTINGS.md"
    named = re.findall(r"^\| `(MANYHANDS_\w+)` \|", written, re.MULTILINE)
    assert sorted(named) == sorted(each.variable for each in all_declared()), "each once"


def test_showing_the_settings_keeps_secrets() -> None:
    shown = values(load({"MANYHANDS_DATABASE_URL": "sqlite:////srv/hunter2.db"}, {}))
    assert "hunter2" not in shown
    assert "MANYHANDS_DATABASE_URL" in shown


OIDC = {
    "AUTH": "oidc",
    "OIDC_ISSUER": "https://id.example",
    "OIDC_CLIENT_ID": "m",
    "PUBLIC_URL": "https://docs.example/",
}
SECRET = "x" * 32


def people(**given: str) -> dict[str, str]:
    return {f"MANYHANDS_{name}": value for name, value in given.items()}


@pytest.mark.parametrize("way", [{"AUTH": "jwt", "JWT_SECRET": SECRET}, OIDC])
def test_where_people_are_known_the_server_may_be_public(way: dict[str, str]) -> None:
    assert load(people(HOST="0.0.0.0", **way), {}).people.auth == way["AUTH"]


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"AUTH": "jwt"}, "needs one of"),
        ({"AUTH": "jwt", "JWT_SECRET": SECRET, "JWT_JWKS_URL": "https://a.example/keys"}, "only one"),
        ({"AUTH": "oidc", "OIDC_ISSUER": "https://id.example"}, "OIDC_CLIENT_ID and MANYHANDS_PUBLIC_URL"),
        ({"JWT_SECRET": SECRET}, "set MANYHANDS_AUTH=jwt"),
        ({"OIDC_ISSUER": "https://id.example", "OIDC_CLIENT_ID": "m"}, "set MANYHANDS_AUTH=oidc"),
        ({**OIDC, "JWT_ISSUER": "a"}, "JWT_ISSUER would not be used"),
    ],
)
def test_a_half_made_way_in_is_no_open_door(given: dict[str, str], words: str) -> None:
    (problem,) = problems(people(**given))
    assert words in problem


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("AUTH", "none"), ("SECRET_KEY", "short"), ("JWT_SECRET", "short"), ("JWT_PUBLIC_KEY", "/no/such/file"),
        ("JWT_PUBLIC_KEY", "-----BEGIN PUBLIC KEY-----\\nAAAA\\n-----END PUBLIC KEY-----"), ("JWT_JWKS_URL", "http://a.example/keys"),
        ("JWT_JWKS_URL", "https://u:p@a.example/keys"), ("OIDC_ISSUER", "http://id.example"), ("OIDC_ISSUER", "id.example"),
        ("OIDC_SCOPES", "profile email"), ("PUBLIC_URL", "https://a/path"), ("DEFAULT_LINK_ROLE", "owner"),
    ],
)  # fmt: skip
def test_a_way_in_that_is_unsafe_is_refused_without_telling_secrets(name: str, value: str) -> None:
    problem = problems(people(**{name: value}))[0]
    assert problem.startswith(f"MANYHANDS_{name} must be ")
    assert "short" not in problem


def test_a_public_key_may_be_a_file_or_text(tmp_path: Path) -> None:
    pem = signing_key("ES256").pem.decode()
    (tmp_path / "key.pem").write_text(pem)
    for value in (pem, pem.replace("\n", "\\n"), str(tmp_path / "key.pem")):
        config = load(people(AUTH="jwt", JWT_PUBLIC_KEY=value), {})
        assert (config.people.jwt_public_key or "").strip() == pem.strip()
        assert "BEGIN" not in values(config)


def test_new_documents_are_open_by_their_address_only_among_guests() -> None:
    assert default_link_role(PeopleSettings()) is Role.EDITOR
    assert default_link_role(PeopleSettings(default_link_role="none")) is None
    assert default_link_role(load(people(**OIDC), {}).people) is None
    assert default_link_role(load(people(**OIDC, DEFAULT_LINK_ROLE="viewer"), {}).people) is Role.VIEWER
