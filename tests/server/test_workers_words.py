"""What a worker is told of the settings is what the parent was given, in words that carry nothing but settings."""

import json
import socket
from pathlib import Path

from server.config import Config
from server.config.loading import load
from server.workers.words import Task

GIVEN = {
    "MANYHANDS_ALLOWED_ORIGINS": "https://docs.example.com, http://[::1]:3000",
    "MANYHANDS_AUTH": "jwt",
    "MANYHANDS_DATA_DIR": "/srv/dokumenté",
    "MANYHANDS_DATABASE_URL": "postgresql://me:hunter2@host/name",
    "MANYHANDS_JOIN_RATE": "3/7",
    "MANYHANDS_JWT_SECRET": "nobody else knows this, I do hope",
    "MANYHANDS_POLL_SECONDS": "0.123457",
    "MANYHANDS_REDIS_URL": "redis://host",
    "MANYHANDS_TRUSTED_PROXIES": "10.0.0.0/8,::1",
    "MANYHANDS_WORKERS": "3",
}


def test_a_worker_is_told_every_setting_as_it_is() -> None:
    for config in (Config(), load(GIVEN, {})):
        assert Task.decode(Task(2, 8000, config).encode()) == Task(2, 8000, config)


def test_a_name_of_the_machine_s_own_is_taken_as_it_is() -> None:
    """A host may be called what no operator may write as MANYHANDS_NODE_ID."""
    config = load({}, {})
    places = type(config.places)(node_id=f"build_host#{socket.gethostname()}", data_dir=Path("~literally"))
    told = Task.decode(Task(1, 0, Config(places=places)).encode())
    assert told.config.places == places


def test_the_word_is_plain_json() -> None:
    assert json.loads(Task(2, 8000, load(GIVEN, {})).encode())[:2] == [2, 8000]
