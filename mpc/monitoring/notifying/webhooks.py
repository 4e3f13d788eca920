"""A message by HTTP POST, to places that the centre's settings allow.

A person of the centre names the address, so it is treated as hostile: its scheme and host must be allowed; its name is
resolved once and every address found must be public (unless ``MPC_WEBHOOK_PRIVATE``); the connection goes to the very
address that was judged, so that a name that answers differently the second time gains nothing; redirects are not
followed; the answer's body is not read.

The receiver can tell who sent it: ``X-MPC-Signature: sha256=<hex>`` is HMAC-SHA256 with the subscription's secret over
``<X-MPC-Timestamp>.<body>``. It should refuse old timestamps, and ids (``X-MPC-Id``) that it has seen.
"""

from __future__ import annotations

import hashlib
import hmac
import http.client
import ipaddress
import json
import socket
import ssl
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.utils import timezone

from mpc.version import VERSION

PORTS = {"http": 80, "https": 443}


class Refused(ValueError):
    """The address may not be reached; the text says why. Trying again changes nothing."""


class Unreached(Exception):
    """Nobody answered, or not with success; the text says what happened. It may be otherwise later."""


@dataclass(frozen=True)
class Place:
    """An address that was judged: ``ip`` is where the connection goes, ``host`` is what it is called."""

    scheme: str
    host: str
    port: int
    path: str
    ip: str


def judge(url: str, *, resolve: bool = True) -> Place:
    """Where a webhook may go. ``resolve=False`` judges what the text alone says. Raises Refused, Unreached."""
    try:
        parts = urlsplit(url.strip())
        host, port = (parts.hostname or "").rstrip("."), parts.port
    except ValueError as error:
        raise Refused(f"This is no address: {error}.") from error
    scheme = parts.scheme.lower()
    if scheme not in settings.MPC_WEBHOOK_SCHEMES or scheme not in PORTS:
        raise Refused(f"Webhooks go by {' or '.join(settings.MPC_WEBHOOK_SCHEMES)} only.")
    if parts.username or parts.password:
        raise Refused("An address with a name and password in it is not taken.")
    if not host or any(ord(sign) <= 32 or ord(sign) == 127 for sign in url.strip()):
        raise Refused("This is no address: it names no host, or holds signs that an address cannot.")
    if not _is_allowed(host):
        raise Refused(f"Webhooks to {host} are not allowed by the settings of the centre.")
    path = parts.path or "/"
    place = Place(scheme, host, port or PORTS[scheme], f"{path}?{parts.query}" if parts.query else path, "")
    literal = _as_ip(host)
    if literal is not None:
        _refuse_private(literal, host)
        return Place(place.scheme, place.host, place.port, place.path, str(literal))
    return _resolved(place) if resolve else place


def _is_allowed(host: str) -> bool:
    """``.example.org`` allows all hosts of a domain, ``example.org`` that one; an empty setting allows any."""
    allowed = [name.lower() for name in settings.MPC_WEBHOOK_HOSTS]
    name = host.lower()
    return not allowed or any(name == a or (a.startswith(".") and name.endswith(a)) for a in allowed)


def _resolved(place: Place) -> Place:
    try:
        found = socket.getaddrinfo(place.host, place.port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise Unreached(f"The name {place.host} could not be resolved: {error}.") from error
    addresses = list(dict.fromkeys(str(info[4][0]) for info in found))
    if not addresses:
        raise Unreached(f"The name {place.host} has no address.")
    for address in addresses:
        _refuse_private(ipaddress.ip_address(address.partition("%")[0]), place.host)
    return Place(place.scheme, place.host, place.port, place.path, addresses[0])


IpAddress = ipaddress.IPv4Address | ipaddress.IPv6Address


def _as_ip(host: str) -> IpAddress | None:
    try:
        return ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        return None


def _refuse_private(address: IpAddress, host: str) -> None:
    inner = getattr(address, "ipv4_mapped", None) or getattr(address, "sixtofour", None) or address
    if settings.MPC_WEBHOOK_PRIVATE:
        return
    if not (address.is_global and inner.is_global) or inner.is_multicast:
        raise Refused(f"{host} leads to {address}, which is not a public address; the settings do not allow that.")


def signature(secret: str, timestamp: str, body: bytes) -> str:
    """``sha256=`` and the hex of HMAC-SHA256 over timestamp, a full stop and the body."""
    return "sha256=" + hmac.new(secret.encode(), timestamp.encode() + b"." + body, hashlib.sha256).hexdigest()


def send(url: str, secret: str, key: str, payload: dict[str, Any]) -> int:
    """POST the payload; hands back the status of the answer (200 to 299). Raises Refused, Unreached."""
    place = judge(url)
    body = json.dumps(payload, allow_nan=False, separators=(",", ":")).encode()
    timestamp = str(int(timezone.now().timestamp()))
    headers = {
        "Content-Type": "application/json",
        "User-Agent": f"S2-MPC/{VERSION}",
        "X-MPC-Id": key,
        "X-MPC-Timestamp": timestamp,
        "X-MPC-Signature": signature(secret, timestamp, body),
        "Connection": "close",
    }
    connection = _connection(place)
    try:
        connection.request("POST", place.path, body=body, headers=headers)
        status = connection.getresponse().status
    except (OSError, http.client.HTTPException) as error:
        raise Unreached(f"{place.host} did not answer: {str(error) or type(error).__name__}.") from error
    finally:
        connection.close()
    if 300 <= status < 400:
        raise Refused(f"{place.host} answered {status}: redirects are not followed. Give the final address.")
    if not 200 <= status < 300:
        raise Unreached(f"{place.host} answered {status}.")
    return status


def _connection(place: Place) -> http.client.HTTPConnection:
    timeout = settings.MPC_WEBHOOK_TIMEOUT_S
    if place.scheme == "https":
        return _PinnedHttps(place, timeout)
    return _PinnedHttp(place, timeout)


class _PinnedHttp(http.client.HTTPConnection):
    """A connection to the address that was judged, under the name that it was asked by."""

    def __init__(self, place: Place, timeout: float) -> None:
        super().__init__(place.host, place.port, timeout=timeout)
        self._ip = place.ip

    def connect(self) -> None:
        self.sock = socket.create_connection((self._ip, self.port), self.timeout)


class _PinnedHttps(http.client.HTTPSConnection):
    def __init__(self, place: Place, timeout: float) -> None:
        self._own_context = ssl.create_default_context()
        super().__init__(place.host, place.port, timeout=timeout, context=self._own_context)
        self._ip = place.ip

    def connect(self) -> None:
        plain = socket.create_connection((self._ip, self.port), self.timeout)
        self.sock = self._own_context.wrap_socket(plain, server_hostname=self.host)
