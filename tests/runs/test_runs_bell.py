"""The bell on files: messages arrive whole and in order, and no broken file stops anybody."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from queue import Empty
from typing import Any

import pytest
from kombu import Connection
from kombu.transport import TRANSPORT_ALIASES

from mpc.runs import transport

TRANSPORT_ALIASES.setdefault("mpcfiles", "mpc.runs.transport:Transport")


@pytest.fixture
def channel(tmp_path: Path) -> Iterator[Any]:
    with Connection("mpcfiles://localhost", transport_options={"folder": str(tmp_path), "polling_interval": 0.01}) as c:
        yield c.channel()


def send(channel: Any, body: Any, queue: str = "qc", **headers: Any) -> None:
    message = channel.prepare_message(json.dumps(body), content_type="application/json", headers=headers)
    channel.basic_publish(message, exchange="", routing_key=queue)


def take_all(channel: Any, queue: str = "qc") -> list[Any]:
    found = []
    while (message := channel.basic_get(queue, no_ack=True)) is not None:
        found.append(json.loads(message.body))
    return found


def test_messages_come_once_in_order_and_by_queue(channel: Any) -> None:
    for n in range(5):
        send(channel, n)
    send(channel, "other", queue="a/../b")
    assert take_all(channel) == [0, 1, 2, 3, 4]
    assert take_all(channel) == []
    assert take_all(channel, "a/../b") == ["other"]


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{",
        b'{"body": "W1tdLC',
        b"[]",
        b"null",
        b'{"body": "x"}',
        b"\xff\xfe\x00",
        b'{"properties": 3, "body": 1}',
    ],
)
def test_what_cannot_be_read_is_skipped_and_removed(channel: Any, tmp_path: Path, content: bytes) -> None:
    (tmp_path / "qc").mkdir()
    (tmp_path / "qc" / "0.msg").write_bytes(content)
    send(channel, "good")
    assert take_all(channel) == ["good"]
    assert list((tmp_path / "qc").iterdir()) == []


def test_half_written_and_foreign_files_are_not_messages(channel: Any, tmp_path: Path) -> None:
    (tmp_path / "qc").mkdir()
    (tmp_path / "qc" / "1.aside").write_text("{")
    (tmp_path / "qc" / "2.msg").mkdir()
    send(channel, "good")
    assert take_all(channel) == ["good"]
    assert channel._size("qc") == 1  # the folder, which is left where it is


def test_rings_are_counted_but_other_messages_never_left_out(channel: Any) -> None:
    for n in range(transport.RINGS_ENOUGH + 20):
        send(channel, n, **{"mpc-bell": "qc"})
    assert channel._size("qc") == transport.RINGS_ENOUGH
    send(channel, "a task")
    assert take_all(channel)[-1] == "a task"


def test_two_takers_never_get_the_same(tmp_path: Path) -> None:
    options = {"folder": str(tmp_path), "polling_interval": 0.01}
    with (
        Connection("mpcfiles://localhost", transport_options=options) as one,
        Connection("mpcfiles://localhost", transport_options=options) as two,
    ):
        first, second = one.channel(), two.channel()
        for n in range(50):
            send(first, n)
        names = first._names("qc")
        taken = [c._take(first._place("qc") / name) for name in names for c in (first, second)]
        assert [t is not None for t in taken] == [True, False] * 50
        with pytest.raises(Empty):
            second._get("qc")


def test_an_unacknowledged_message_comes_back_when_its_taker_closes(tmp_path: Path) -> None:
    options = {"folder": str(tmp_path)}
    with Connection("mpcfiles://localhost", transport_options=options) as taker:
        channel = taker.channel()
        send(channel, "again")
        assert channel.basic_get("qc", no_ack=False) is not None
    with Connection("mpcfiles://localhost", transport_options=options) as other:
        assert take_all(other.channel()) == ["again"]
