"""Products with quality reports as a worker leaves them, made without reading an image."""

from __future__ import annotations

import dataclasses
from datetime import UTC, datetime, timedelta
from typing import Any

from django.test import Client

from mpc.accounts.models import RoleGrant, User
from mpc.accounts.roles import Role
from mpc.jobs import MeasuredValue, Outcome, Verdict
from mpc.monitoring.services import store_measurements
from mpc.msi.records import OlqcCheck, OlqcReport
from mpc.products.models import GippSet, Product, ProductFacts
from mpc.runs.models import Run, RunArtifact, State
from qc import services
from qc.checks.finding import Finding, Status
from qc.checks.report import InspectionFacts, ProductReport
from qc.models import QualityReport
from qc.statistics import BandStatistics, DisplayHistogram

START = datetime(2026, 9, 1, 10, 10, 11, 25000, tzinfo=UTC)
DETECTORS = (None, "04", "05", "06")


def signed_in(*roles: Role, name: str = "ann") -> Client:
    """The browser of somebody with these roles."""
    user = User.objects.create_user(name, password=None)
    RoleGrant.objects.bulk_create(RoleGrant(user=user, role=role) for role in roles)
    client = Client()
    client.force_login(user)
    return client


def make_product(day: int = 0, unit: str = "S2B", tile: str = "33UUU", **values: Any) -> Product:
    """A product of a unit, ``day`` days after the start; with all facts that metadata say."""
    sensed = START + timedelta(days=day)
    level = values.get("level", "L1C")
    name = f"{unit}_MSI{level}_{sensed:%Y%m%dT%H%M%S}_N0511_R022_T{tile}_{sensed:%Y%m%dT235959}"
    own: dict[str, Any] = {
        "name": name,
        "kind": "product",
        "level": level,
        "unit": unit,
        "observation": f"{unit}_{level}_{sensed:%Y%m%d}_{tile}",
        "datatake_id": f"GS2B_{sensed:%Y%m%dT%H%M%S}_038058_N05.11",
        "datastrip_id": f"S2B_OPER_MSI_{level}_DS_2BPS_{sensed:%Y%m%dT%H%M%S}_N05.11",
        "tile": tile,
        "tiles": [tile],
        "baseline": "05.11",
        "relative_orbit": 22,
        "absolute_orbit": 38058,
        "sensing_start": sensed,
        "generation_time": sensed + timedelta(hours=2),
        "cloud_cover": 12.5,
        "path": f"/archive/{name}.SAFE",
        "container": "folder",
        "layout": "compact",
        "size": 700_000_000,
        "checksum": f"sha256:{name}",
        "gipp_set": GippSet.of([["R2EQOG", "0171", "S2B_OPER_GIP_R2EQOG_MPC__20260801T000000"]]),
    }
    product = Product.objects.create(**{**own, **values})
    ProductFacts.objects.create(
        product=product,
        quantification=10000,
        u=0.98,
        offsets={"B02": -1000, "B8A": -1000},
        solar_irradiance={"B02": 1959.66},
        sun_angles={tile: {"zenith": 41.5, "azimuth": 160.25}} if tile else {},
        view_angles={tile: {"B02": {"zenith": 3.125, "azimuth": 104.0}}} if tile else {},
        auxiliary={"GIP_R2EQOG": "S2B_OPER_GIP_R2EQOG_MPC__20260801T000000"},
    )
    return product


def make_datastrip(**values: Any) -> Product:
    """A stand-alone datastrip: no tile, no image."""
    name = "S2B_OPER_MSI_L1C_DS_2BPS_20260901T122629_S20260901T102025_N05.11"
    return make_product(
        name=name, kind="datastrip", tile="", **{"tiles": [], "observation": name, "cloud_cover": None, **values}
    )


# --- What quality control finds --------------------------------------------------------------------------------------
@dataclasses.dataclass(frozen=True)
class Check:
    """One inspection with its finding."""

    id: str
    status: Status = Status.PASSED
    required: bool = True
    title: str = ""
    message: str = ""
    items: tuple[Any, ...] = ()


ALL_WELL = (Check("format.manifest.present", title="Every file of the manifest is there"), Check("sensor.packets.lost"))
SOME_WRONG = (
    Check(
        "format.manifest.size",
        Status.FAILED,
        title="Files have the size that the manifest says",
        message="1 file has another size than the manifest says",
        items=({"file": "B02.jp2", "expected": 1000, "measured": None},),
    ),
    Check("sensor.degraded.msi", Status.WARNING, required=False, title="Image data are not degraded"),
    Check("sensor.packets.lost", Status.NOT_CHECKED, title="No packets were lost", message="no datastrip metadata"),
    Check("geometry.orbit.relative", title="Relative orbit fits the absolute orbit", items=("R022", "A038058")),
)
NOT_LOOKED = (
    Check("format.manifest.present"),
    Check("sensor.packets.lost", Status.NOT_CHECKED, title="No packets were lost", message="the datastrip is absent"),
)


def olqc(name: str = "SENSOR_QUALITY", status: str = "PASSED", **values: Any) -> OlqcReport:
    check = OlqcCheck("Lost_Packets", "SENSOR_QUALITY", status, "there were lost packets", values={"LOST": "0"})
    own: dict[str, Any] = {
        "report": name,
        "scope": "datastrip",
        "item": "S2B_OPER_MSI_L1C_DS_2BPS",
        "path": f"QI_DATA/{name}.xml",
        "status": status,
        "version": "1.0",
        "checklist": name,
        "parent": "S2B_OPER_GIP_OLQCPA_MPC__20260801T000000",
        "date": START,
        "checks": (check,),
    }
    fields = {field.name for field in dataclasses.fields(OlqcReport)}
    required = {
        field.name: ""
        for field in dataclasses.fields(OlqcReport)
        if field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING
    }
    return OlqcReport(**{k: v for k, v in {**required, **own, **values}.items() if k in fields})


def band(name: str = "B02", resolution: int = 10, tile: str = "33UUU", mean: float = 2000.0) -> BandStatistics:
    """Statistics of one image: the band and three detectors, of which the last holds 100 counts more."""
    means = (mean, mean - 50, mean, mean + 50)
    n = len(DETECTORS)
    locations = dict.fromkeys(("p1", "p5", "p25", "p50", "p75", "p95", "p99"), means)
    return BandStatistics(
        band=name,
        resolution=resolution,
        tile=tile,
        detectors=DETECTORS,
        count=(300, 100, 100, 100),
        nodata=(30, 10, 10, 10),
        saturated=(0,) * n,
        valid=(270, 90, 90, 90),
        minimum=(1500,) * n,
        maximum=(3000,) * n,
        mean=means,
        std=(25.0,) * n,
        **locations,
        histogram=DisplayHistogram(start=1500, width=100, counts=(10, 200, 60), below=3, above=4),
        offset=-1000.0,
        quantification=10000.0,
    )


def make_run(product: Product, state: str = State.SUCCEEDED, **values: Any) -> Run:
    own = {"kind": "qc.product", "title": f"Quality control of {product}"[:200], "queue": "qc", "trigger": "arrival"}
    return Run.objects.create(product=product, state=state, **{**own, **values})


def make_report(
    product: Product,
    verdict: str = "PASSED",
    checks: tuple[Check, ...] = ALL_WELL,
    statistics: tuple[BandStatistics, ...] = (),
    olqc_reports: tuple[OlqcReport, ...] = (),
    facts: dict[str, Any] | None = None,
    pictures: tuple[str, ...] = (),
    reflectance: float | None = None,
) -> QualityReport:
    """Store a report as a finished run does; ``pictures`` are names of the images that the run left,
    ``reflectance`` the trended mean of B02."""
    run = make_run(product, wall_s=24.0, software_version="0.1.0", attempt=1)
    found = ProductReport(
        product=product.name,
        verdict=Verdict(verdict),
        findings=tuple(
            Finding(
                c.status,
                "as said",
                "as measured",
                c.message,
                details={"items": list(c.items), "count": len(c.items)} if c.items else {},
                check_id=c.id,
                required=c.required,
            )
            for c in checks
        ),
        inspections=tuple(
            InspectionFacts(c.id, c.title or c.id, c.id.partition(".")[0], "required", "PSD 14.9") for c in checks
        ),
        olqc=olqc_reports,
        statistics=statistics,
    )
    wrong = sum(c.status == Status.FAILED for c in checks)
    outcome = Outcome(
        summary=f"{wrong} of {len(checks)} required checks failed" if wrong else f"{len(checks)} checks passed",
        verdict=found.verdict,
        results=found,
        measurements=() if reflectance is None else (mean_reflectance(product, reflectance),),
        facts={"software": {"python": "3.11"}, **(facts or {})},
    )
    RunArtifact.objects.bulk_create(
        RunArtifact(
            run=run,
            attempt=1,
            name=name,
            path=f"{name}.png",
            media_type="image/png",
            title=name,
            size=9,
            sha256="0" * 64,
        )
        for name in pictures
    )
    store_measurements(run, outcome)
    return services.store_report(run, outcome)


def mean_reflectance(product: Product, value: float) -> MeasuredValue:
    return MeasuredValue(
        metric="image.mean_reflectance",
        value=value,
        time=product.sensing_start,
        unit=product.unit,
        level=product.level,
        baseline=product.baseline,
        band="B02",
        samples=270,
        no_uncertainty="exact for the image",
    )
