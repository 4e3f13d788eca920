"""Source packets and degraded data."""

from __future__ import annotations

from mpc.msi.records import PacketLoss
from qc.checks.finding import Finding, failed, not_checked, passed, warning
from qc.checks.inspections.common import DATASTRIP_LEVELS, number
from qc.checks.registry import inspection
from qc.checks.subject import Subject


@inspection(
    id="sensor.packets.lost",
    title="No source packets were lost",
    group="sensor",
    levels=DATASTRIP_LEVELS,
    reference="Datastrip metadata, NUMBER_OF_LOST_PACKETS; on-line quality control check Lost_Packets",
)
def lost_packets(subject: Subject) -> Finding:
    packets, problem = _packets(subject)
    lost = [p.lost for p in packets if p.lost is not None]
    if not lost:
        return not_checked(problem or "the datastrip metadata do not count lost packets")
    if sum(lost):
        return failed(
            "0 lost", f"{sum(lost)} lost", f"{number(sum(lost), 'source packet')} did not arrive", where="datastrip"
        )
    return passed("0 lost", "0 lost")


@inspection(
    id="sensor.packets.degraded",
    title="No source packets were too degraded",
    group="sensor",
    levels=DATASTRIP_LEVELS,
    reference="Datastrip metadata, NUMBER_OF_TOO_DEGRADED_PACKETS; on-line quality control check Degraded_Packets",
)
def degraded_packets(subject: Subject) -> Finding:
    packets, problem = _packets(subject)
    bad = [p.too_degraded for p in packets if p.too_degraded is not None]
    if not bad:
        return not_checked(problem or "the datastrip metadata do not count degraded packets")
    kept = sum(p.kept_degraded or 0 for p in packets)
    expected, measured = "0 too degraded, 0 degraded and kept", f"{sum(bad)} too degraded, {kept} degraded and kept"
    if sum(bad):
        return failed(expected, measured, f"{number(sum(bad), 'source packet')} could not be used", where="datastrip")
    if kept:
        return warning(
            expected, measured, f"{number(kept, 'degraded source packet')} went into the image", where="datastrip"
        )
    return passed(expected, measured)


@inspection(
    id="sensor.degraded.anc",
    title="Ancillary data are not degraded",
    group="sensor",
    levels=DATASTRIP_LEVELS,
    reference="DEGRADED_ANC_DATA_PERCENTAGE of product and datastrip",
)
def degraded_ancillary(subject: Subject) -> Finding:
    told = [("product", subject.product.record.degraded_anc)] if subject.product.record else []
    told += [("datastrip", r.record.degraded_anc) for r in subject.datastrips if r.record]
    return _share(subject, [(where, share) for where, share in told if share is not None], "ancillary")


@inspection(
    id="sensor.degraded.msi",
    title="Image data are not degraded",
    group="sensor",
    kinds=("product",),
    reference="Tile metadata, Image_Content_QI/DEGRADED_MSI_DATA_PERCENTAGE (the product's value is rounded)",
)
def degraded_image(subject: Subject) -> Finding:
    told = [
        (f"tile {granule.tile or granule.id}", reading.record.degraded_msi)
        for granule, reading in zip(subject.safe.granules, subject.tiles, strict=True)
        if reading.record
    ]
    return _share(subject, [(where, share) for where, share in told if share is not None], "image")


def _packets(subject: Subject) -> tuple[list[PacketLoss], str]:
    """What is known of the packets; without any, why."""
    found = [reading.record.packets for reading in subject.datastrips if reading.record]
    if found:
        return found, ""
    return [], next((reading.problem for reading in subject.datastrips), "no datastrip metadata in this product")


def _share(subject: Subject, told: list[tuple[str, float]], what: str) -> Finding:
    limit = subject.params.degraded_limit
    if not told:
        unread = [reading.problem for reading in subject.tiles] if what == "image" else []
        return not_checked(next(filter(None, unread), f"the metadata give no share of degraded {what} data"))
    where, worst = max(told, key=lambda item: item[1])
    expected, measured = "0 %", f"{worst:g} %"
    if worst > limit:
        return failed(f"at most {limit:g} %", measured, f"more {what} data are degraded than is accepted", where=where)
    if worst > 0:
        return warning(
            expected, measured, f"some {what} data are degraded, below the limit of {limit:g} %", where=where
        )
    return passed(expected, measured)
