"""Taking products in: the one place where the inventory changes."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from django.db import IntegrityError, connection, transaction

from mpc.accounts import audit, policy
from mpc.msi.describe import Description, Refused, describe_product
from mpc.products.models import GippSet, Intake, Product, ProductFacts, Status
from mpc.products.signals import product_arrived

MAX_SOURCE = 1000
MAX_GIPPS = 10_000
"""Most entries of a GIPP list that are kept; real ones have 138."""


@dataclass(frozen=True)
class Taken:
    """What came of one try."""

    intake: Intake
    product: Product | None

    @property
    def result(self) -> str:
        return self.intake.result


def take_in(path: str, *, actor: Any, trigger: str = "ingest", source: str = "") -> Taken:
    """Read the product at ``path`` and put it into the inventory; a refusal is recorded with its reason.

    Raises:
        PermissionDenied: the actor may not take products in.
    """
    policy.require(actor, "products.ingest")
    try:
        description = describe_product(path)
    except Refused as refusal:
        return refuse(source or path, str(refusal), actor=actor, trigger=trigger)
    except OSError as error:
        reason = f"reading it failed: {error.strerror or error}; it can be tried again"
        return refuse(source or path, reason, actor=actor, trigger=trigger)
    return store(description, actor=actor, trigger=trigger, source=source or path)


def refuse(source: str, reason: str, *, actor: Any, trigger: str, fingerprint: str = "") -> Taken:
    """Record that something was not taken in, and why."""
    source, reason = as_text(source), as_text(reason)
    intake = Intake.objects.create(
        actor=actor,
        trigger=trigger,
        source=source,
        result=Intake.Result.REFUSED,
        message=reason,
        fingerprint=fingerprint,
    )
    audit.record(actor, "products.refused", intake, after={"source": source, "reason": reason}, label=source[:200])
    return Taken(intake, None)


def as_text(source: object) -> str:
    """A path or message as any database can hold it: bytes that are no UTF-8 are written out, NUL too."""
    return str(source).encode("utf-8", "backslashreplace").decode("utf-8").replace("\x00", "\\x00")[:MAX_SOURCE]


def store(d: Description, *, actor: Any, trigger: str, source: str = "", fingerprint: str = "") -> Taken:
    """Put a described product into the inventory, once: the same one again changes nothing.

    Announces the arrival inside its transaction, so that a product never stands there without its quality control.
    """
    origin = {"actor": actor, "trigger": trigger, "source": as_text(source or d.path), "fingerprint": fingerprint}
    try:
        with transaction.atomic(), one_at_a_time(d.observation):
            known = Product.objects.select_for_update().filter(name=d.name).first()
            if known is None:
                return _store_new(d, origin)
    except IntegrityError:
        # Two ways brought the same product at the same moment; the other one was first.
        known = Product.objects.get(name=d.name)
    return _store_known(known, d, origin)


@contextmanager
def one_at_a_time(observation: str) -> Iterator[None]:
    """Inside a transaction: no other process adds or changes a version of this observation until it ends.

    Two versions that arrive at once would else not see each other, and both count as the newest. SQLite has one writer
    anyway.
    """
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [f"products:{observation}"])
    yield


def _store_new(d: Description, origin: dict[str, Any]) -> Taken:
    product = Product.objects.create(
        name=d.name,
        kind=d.kind,
        level=d.level,
        unit=d.unit,
        observation=d.observation,
        datatake_id=_fitting("datatake_id", d.datatake_id),
        datastrip_id=_fitting("datastrip_id", d.datastrip_id),
        absolute_orbit=d.absolute_orbit,
        relative_orbit=d.relative_orbit,
        tile=d.tiles[0] if len(d.tiles) == 1 else "",
        tiles=list(d.tiles),
        baseline=d.baseline,
        sensing_start=d.sensing_start,
        generation_time=d.generation_time,
        discriminator=d.discriminator,
        footprint=d.footprint,
        **dict(zip(("west", "south", "east", "north"), d.bounds or (None,) * 4, strict=True)),
        cloud_cover=d.cloud_cover,
        nodata_percentage=d.nodata_percentage,
        degraded_msi=d.degraded_msi,
        degraded_anc=d.degraded_anc,
        sun_zenith=d.sun_zenith,
        path=d.path,
        container=d.container,
        layout=d.layout,
        size=d.size,
        checksum=d.checksum,
        problem=d.problem,
        gipp_set=GippSet.of([[g.type, g.version, g.name] for g in d.gipps[:MAX_GIPPS]]),
        taken_in_by=origin["actor"],
    )
    ProductFacts.objects.create(
        product=product,
        quantification=d.radiometry.quantification,
        u=d.radiometry.u,
        offsets=d.radiometry.offsets,
        solar_irradiance=d.radiometry.solar_irradiance,
        physical_gains=d.radiometry.physical_gains,
        sun_angles=d.sun_angles,
        view_angles=d.view_angles,
        auxiliary=d.auxiliary,
        quality_flags=d.quality_flags,
        detail=d.detail,
        remarks=list(d.remarks),
    )
    mark_newest(product.observation)
    intake = Intake.objects.create(result=Intake.Result.TAKEN, product=product, message=d.problem, **origin)
    audit.record(origin["actor"], "products.taken_in", product, after={"path": d.path, "trigger": origin["trigger"]})
    product_arrived.send(sender=Product, product=product, actor=origin["actor"], trigger=origin["trigger"])
    return Taken(intake, product)


def _fitting(field: str, text: str) -> str:
    """Identifiers are kept as written, whatever was written; one that is far too long is no identifier."""
    return text[: Product._meta.get_field(field).max_length]


def _store_known(known: Product, d: Description, origin: dict[str, Any]) -> Taken:
    # The checksum of a zip is that of the file: it says nothing about the same product as a folder, but the size does.
    same_form = d.container == known.container
    differs = d.checksum != known.checksum if same_form else d.size != known.size
    if d.checksum and known.checksum and differs:
        message = (
            f"{known.name} is here already with other content (at {known.path}, {known.size} bytes, "
            f"{known.checksum[:19]}…; this one {d.size} bytes, {d.checksum[:19]}…). Nothing was changed."
        )
        with transaction.atomic():
            intake = Intake.objects.create(result=Intake.Result.REFUSED, product=known, message=message, **origin)
            told = {"source": origin["source"], "reason": message}
            audit.record(origin["actor"], "products.refused", intake, after=told, label=origin["source"][:200])
        return Taken(intake, known)
    message = f"known already since {known.taken_in:%Y-%m-%d %H:%M} UTC"
    if known.withdrawn:
        message += f"; {known.withdrawal}. It stays withdrawn until somebody reinstates it on its page"
    if not same_form:
        message += f", as a {known.container} of the same size; this {d.container} was not compared byte by byte"
    return Taken(Intake.objects.create(result=Intake.Result.KNOWN, product=known, message=message, **origin), known)


def mark_newest(observation: str) -> None:
    """Of all versions of one observation in use, the one with the highest baseline, then the latest generation."""
    versions = list(
        Product.objects.filter(observation=observation).only(
            "pk", "baseline", "generation_time", "newest", "withdrawn_at"
        )
    )
    in_use = [version for version in versions if not version.withdrawn]
    newest = max(
        in_use,
        key=lambda p: (p.baseline, p.generation_time.timestamp() if p.generation_time else 0, p.pk),
        default=None,
    )
    for version in versions:
        if version.newest != (version is newest):
            Product.objects.filter(pk=version.pk).update(newest=version is newest)


def versions_of(product: Product) -> list[Product]:
    """All versions of the same observation, newest first."""
    return list(
        Product.objects.filter(observation=product.observation).order_by("-baseline", "-generation_time", "-pk")
    )


def record_verdict(product_pk: int, verdict: str) -> None:
    """Quality control says how the product stands."""
    Product.objects.filter(pk=product_pk).update(status=Status(verdict))


def record_no_verdict(product_pk: int) -> None:
    """Quality control was given up: a product that still waited for it is incomplete, for nothing has looked at it."""
    Product.objects.filter(pk=product_pk, status=Status.WAITING).update(status=Status.INCOMPLETE)
