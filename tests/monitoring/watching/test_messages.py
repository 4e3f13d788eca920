"""Messages: who gets which, once; mail and webhooks to a real server; what is refused, tried again, given up."""

from __future__ import annotations

import hashlib
import hmac
import json
import threading
from collections.abc import Iterator
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from django.core import mail
from django.utils import timezone

from mpc.accounts.policy import Role
from mpc.monitoring.alerts import announcing
from mpc.monitoring.models import Alert, AlertPart, Notification, Subscription
from mpc.monitoring.notifying import sending, services, webhooks
from mpc.monitoring.notifying.matching import write_messages
from tests import factories

pytestmark = pytest.mark.django_db


class Listener:
    """A server on this machine that keeps what it is sent and answers what it is told to."""

    def __init__(self) -> None:
        self.status, self.heard = 204, []
        listener = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                listener.heard.append((self.path, dict(self.headers), body))
                self.send_response(listener.status)
                if listener.status == 302:
                    self.send_header("Location", "/elsewhere")
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_: Any) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/hook?x=1"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()


@pytest.fixture
def listener(settings: Any) -> Iterator[Listener]:
    settings.MPC_WEBHOOK_PRIVATE = True
    settings.MPC_WEBHOOK_SCHEMES = ["http", "https"]
    found = Listener()
    yield found
    found.server.shutdown()
    found.server.server_close()


@pytest.fixture
def ann(db: None) -> Any:
    return factories.person(Role.VIEWER, name="ann", email="ann@example.org")


def an_alert(**values: Any) -> Alert:
    return factories.alert(2, announced_at=None, **values)  # S2C, major, B02, metric without a group


def later() -> None:
    Notification.objects.update(next_at=timezone.now() - timedelta(seconds=1))


# --- Who -----------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("wish", "fits"),
    [
        ({}, True),
        ({"unit": "S2C"}, True),
        ({"unit": "S2A"}, False),
        ({"band": "B02"}, True),
        ({"band": "B03"}, False),
        ({"group": "image"}, True),
        ({"group": "geometry"}, False),
        ({"severity": 30}, True),
        ({"severity": 40}, False),
        ({"active": False}, False),
    ],
)
def test_which_subscription_hears_of_an_alert(ann: Any, wish: dict[str, Any], fits: bool) -> None:
    alert = an_alert()
    metric = alert.parts.get().series.metric
    metric.group = "image"
    metric.save()
    factories.subscription(ann, **{"unit": "", **wish})
    announcing.announce_due()
    assert Notification.objects.count() == fits


def test_one_message_an_alert_and_subscription_and_another_when_it_comes_back(ann: Any) -> None:
    alert = an_alert()
    factories.subscription(ann, unit="")
    factories.subscription(ann, unit="", band="B03")
    announcing.announce_due()
    announcing.announce_due()
    assert Notification.objects.count() == 1
    # It grows: who had not heard of it does now, who had does not.
    series = factories.bare_series(9)
    series.band = "B03"
    series.save()
    AlertPart.objects.create(alert=alert, series=series, kind="step", time=alert.time)
    assert write_messages(alert) == 1
    assert write_messages(alert) == 0
    Alert.objects.update(reopened=1, announced_at=None)
    announcing.announce_due()
    assert sorted(Notification.objects.values_list("turn", flat=True)) == [0, 0, 1, 1]


def test_accounts_that_may_not_look_hear_nothing() -> None:
    an_alert()
    factories.subscription(factories.person(), unit="")
    factories.subscription(factories.person(Role.VIEWER, is_active=False), unit="")
    announcing.announce_due()
    assert not Notification.objects.exists()


# --- Mail ----------------------------------------------------------------------------------------------------------
def test_a_mail_says_what_happened_and_where_to_look(ann: Any, settings: Any) -> None:
    settings.MPC_SITE_URL = "https://mpc.example.org"
    alert = an_alert(title="S2C: step\nin B02")
    factories.subscription(ann, unit="")
    announcing.announce_due()
    assert sending.send_due() == 1
    assert sending.send_due() == 0
    letter = mail.outbox[0]
    assert (letter.to, letter.subject) == (["ann@example.org"], "[MPC] major: S2C: step in B02")
    assert f"https://mpc.example.org/trends/alerts/{alert.pk}/" in letter.body
    assert "- step in Mean reflectance of a band S2C L1C B02 site002: part number 2" in letter.body
    assert letter.extra_headers["Message-ID"] == f"<alert-{alert.pk}-0-{ann.alert_subscriptions.get().pk}@localhost>"
    assert Notification.objects.get().state == "sent"


def test_mail_goes_into_files_where_that_is_set(ann: Any, settings: Any, tmp_path: Path) -> None:
    settings.EMAIL_BACKEND = "django.core.mail.backends.filebased.EmailBackend"
    settings.EMAIL_FILE_PATH = tmp_path
    an_alert()
    factories.subscription(ann, unit="")
    announcing.announce_due()
    assert sending.send_due() == 1
    assert "[MPC] major: S2C: step number 002" in next(tmp_path.iterdir()).read_text()


def test_an_account_without_an_address_is_told_so_on_its_page() -> None:
    nobody = factories.person(Role.VIEWER, email="")
    an_alert()
    factories.subscription(nobody, unit="")
    announcing.announce_due()
    sending.send_due()
    message = Notification.objects.get()
    assert (message.state, message.error) == ("failed", "The account has no e-mail address.")


# --- Webhooks ------------------------------------------------------------------------------------------------------
def test_a_webhook_is_signed_over_time_and_body(ann: Any, listener: Listener) -> None:
    alert = an_alert()
    wish = services.save(ann, {"channel": "webhook", "url": listener.url, "severity": 20, "active": True})
    announcing.announce_due()
    assert sending.send_due() == 1
    [(path, headers, body)] = listener.heard
    assert path == "/hook?x=1"
    signed = headers["X-MPC-Timestamp"].encode() + b"." + body
    expected = hmac.new(wish.secret.encode(), signed, hashlib.sha256).hexdigest()
    assert headers["X-MPC-Signature"] == f"sha256={expected}"
    told = json.loads(body)
    assert (told["alert"], told["severity"], told["unit"], told["turn"]) == (alert.pk, "major", "S2C", 0)
    assert told["id"] == headers["X-MPC-Id"] == f"alert-{alert.pk}-0-{wish.pk}"
    assert told["parts"][0]["metric"] == "image.mean_reflectance"


def test_a_webhook_that_fails_is_tried_again_and_given_up_at_last(ann: Any, listener: Listener, settings: Any) -> None:
    settings.MPC_NOTIFY_ATTEMPTS = 3
    listener.status = 503
    an_alert()
    services.save(ann, {"channel": "webhook", "url": listener.url, "severity": 20, "active": True})
    announcing.announce_due()
    pauses = []
    for _ in range(3):
        now = timezone.now()
        sending.send_due()
        message = Notification.objects.get()
        pauses.append(round((message.next_at - now).total_seconds() / 10) * 10)
        later()
    assert pauses[:2] == [30, 60]
    assert (message.state, message.attempts) == ("failed", 3)
    assert message.error == "given up after 3 attempts: 127.0.0.1 answered 503."
    assert sending.send_due() == 0
    assert len(listener.heard) == 3
    assert {json.loads(body)["id"] for _, _, body in listener.heard} == {listener.heard[0][1]["X-MPC-Id"]}


def test_redirects_are_not_followed(ann: Any, listener: Listener) -> None:
    listener.status = 302
    with pytest.raises(webhooks.Refused, match="redirects are not followed"):
        webhooks.send(listener.url, "s", "k", {})
    assert len(listener.heard) == 1


def test_nobody_there_is_a_failure_that_may_pass(listener: Listener) -> None:
    listener.server.shutdown()
    listener.server.server_close()
    with pytest.raises(webhooks.Unreached, match="did not answer"):
        webhooks.send(listener.url, "s", "k", {})


@pytest.mark.parametrize(
    "url",
    [
        "https://127.0.0.1/x", "https://[::1]/x", "https://10.0.0.5/", "https://192.168.1.1/", "https://172.16.0.1/",
        "https://169.254.169.254/latest/meta-data", "https://0.0.0.0/", "https://[::ffff:127.0.0.1]/",
        "https://[fe80::1]/", "https://[fd00::1]/", "https://224.0.0.1/", "https://100.64.0.1/", "https://localhost/x",
        "http://example.org/x", "ftp://example.org/", "file:///etc/passwd", "https://user:secret@example.org/",
        "https:///x", "https://example.org:99999/", "https://exa mple.org/", "https://example.org/\r\nX: y", "nonsense",
    ],
)  # fmt: skip
def test_addresses_that_a_webhook_may_not_reach(url: str) -> None:
    with pytest.raises(webhooks.Refused):
        webhooks.judge(url)


def test_a_name_that_leads_to_an_inner_address_is_refused_and_the_judged_address_is_the_one_that_is_called(
    monkeypatch: pytest.MonkeyPatch, settings: Any, listener: Listener
) -> None:
    answers = {"inner.example.org": "10.1.2.3", "outer.example.org": "93.184.216.34", "here.example.org": "127.0.0.1"}
    asked: list[str] = []

    lookup = webhooks.socket.getaddrinfo

    def resolve(host: str, port: int, *more: Any, **named: Any) -> list[Any]:
        if host not in answers:
            return lookup(host, port, *more, **named)
        asked.append(host)
        return [(2, 1, 6, "", (answers[host], port))]

    monkeypatch.setattr(webhooks.socket, "getaddrinfo", resolve)
    port = listener.server.server_port
    # The name is asked once; the connection goes to the address that was judged.
    webhooks.send(f"http://here.example.org:{port}/x", "s", "k", {})
    assert asked == ["here.example.org"]
    assert listener.heard[0][1]["Host"] == f"here.example.org:{port}"
    settings.MPC_WEBHOOK_PRIVATE = False
    assert webhooks.judge("https://outer.example.org/").ip == "93.184.216.34"
    with pytest.raises(webhooks.Refused, match=r"inner.example.org leads to 10.1.2.3, which is not a public address"):
        webhooks.judge("https://inner.example.org/")


def test_hosts_can_be_limited(settings: Any) -> None:
    settings.MPC_WEBHOOK_HOSTS = ["hooks.example.org", ".esa.int"]
    for fine in ("https://hooks.example.org/", "https://mpc.esa.int/x"):
        assert webhooks.judge(fine, resolve=False).host in fine
    for other in ("https://example.org/", "https://evilesa.int/", "https://hooks.example.org.evil.com/"):
        with pytest.raises(webhooks.Refused, match="not allowed by the settings"):
            webhooks.judge(other, resolve=False)


# --- The page --------------------------------------------------------------------------------------------------------
def test_send_me_a_test_says_how_it_went(listener: Listener) -> None:
    client = factories.client(Role.VIEWER, email="v@example.org")
    wish = services.save(client.user, {"channel": "webhook", "url": listener.url, "severity": 20, "active": True})
    place = f"/trends/subscriptions/{wish.pk}/test/"
    assert "The test message was sent" in client.post(place, follow=True).content.decode()
    assert json.loads(listener.heard[0][2])["event"] == "test"
    listener.status = 500
    assert "The test was not delivered: 127.0.0.1 answered 500" in client.post(place, follow=True).content.decode()


def test_subscriptions_of_others_are_not_there() -> None:
    wish = factories.subscription(factories.person(Role.VIEWER))
    client = factories.client(Role.ADMINISTRATOR)
    assert client.get(f"/trends/subscriptions/{wish.pk}/").status_code == 404
    for step in ("remove", "test"):
        assert client.post(f"/trends/subscriptions/{wish.pk}/{step}/").status_code == 404
    assert Subscription.objects.count() == 1


@pytest.mark.parametrize(
    ("sent", "words"),
    [
        ({"channel": "webhook", "url": "https://127.0.0.1/x"}, "not a public address"),
        ({"channel": "webhook", "url": ""}, "Webhooks go by https only"),
        ({"channel": "pigeon"}, "Select a valid choice"),
        ({"severity": "7"}, "Select a valid choice"),
    ],
)
def test_a_wish_that_cannot_be_kept_is_refused_in_place(sent: dict[str, str], words: str) -> None:
    client = factories.client(Role.VIEWER, email="v@example.org")
    answer = client.post("/trends/subscriptions/", {"channel": "mail", "severity": "20", "active": "on", **sent})
    assert (answer.status_code, words in answer.content.decode()) == (422, True)
    assert not Subscription.objects.exists()
