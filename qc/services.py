"""Quality reports: stored when a run finishes, read as one structure by the page, the API and the command line."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import Any

from mpc.jobs import Outcome
from mpc.products import services as products
from mpc.runs.texts import clean, clean_json
from qc.models import BandStatistics, CheckResult, CheckStatus, OlqcCheck, OlqcReport, QualityReport

CHUNK = 1000
STATISTICS = ("minimum", "maximum", "mean", "std", "p1", "p5", "p25", "p50", "p75", "p95", "p99")


def store_report(run: Any, outcome: Outcome) -> QualityReport:
    """Write what quality control found; runs inside the transaction that closes the run. The newest report counts."""
    found = outcome.results
    product = run.product
    counts = Counter(str(f.status) for f in found.findings)
    bad = (CheckStatus.FAILED, CheckStatus.ERROR)
    QualityReport.objects.filter(product=product, current=True).update(current=False)
    report = QualityReport.objects.create(
        product=product,
        run=run,
        verdict=str(found.verdict),
        summary=clean(outcome.summary, 300),
        counts=dict(counts),
        required_failed=sum(f.required and f.status in bad for f in found.findings),
        facts=clean_json(outcome.facts),
    )
    _store_checks(report, found)
    _store_olqc(report, found.olqc)
    _store_statistics(report, found.statistics)
    products.record_verdict(product.pk, report.verdict)
    return report


def give_up(run: Any) -> None:
    """The run ended for good without a report; an older report of the product goes on counting."""
    products.record_no_verdict(run.product_id)


def _store_checks(report: QualityReport, found: Any) -> None:
    meta = {i.id: i for i in found.inspections}
    rows = [
        CheckResult(
            report=report,
            order=order,
            check_id=f.check_id,
            title=meta[f.check_id].title,
            group=meta[f.check_id].group,
            reference=meta[f.check_id].reference[:200],
            required=f.required,
            status=str(f.status),
            expected=clean(f.expected),
            measured=clean(f.measured),
            message=clean(f.message),
            where=clean(f.where, 300),
            details=clean_json(f.details),
        )
        for order, f in enumerate(found.findings)
    ]
    CheckResult.objects.bulk_create(rows, batch_size=CHUNK)


def _store_olqc(report: QualityReport, olqc: Iterable[Any]) -> None:
    for r in olqc:
        kept = OlqcReport.objects.create(
            report=report,
            name=r.report[:40],
            scope=r.scope,
            item=clean(r.item, 160),
            path=clean(r.path, 400),
            status=r.status[:12],
            version=r.version[:20],
            checklist=r.checklist[:60],
            parent=r.parent[:120],
            date=r.date,
            readable=r.readable,
            schema_valid=r.schema_valid,
            problem=clean(r.problem),
        )
        OlqcCheck.objects.bulk_create(
            [
                OlqcCheck(
                    olqc_report=kept,
                    order=order,
                    check_id=c.id[:120],
                    name=c.name[:200],
                    status=c.status[:20],
                    processing_status=c.processing_status[:20],
                    item=c.item[:200],
                    message=c.message,
                    values=c.values,
                )
                for order, c in enumerate(r.checks)
            ],
            batch_size=CHUNK,
        )


def _store_statistics(report: QualityReport, statistics: Iterable[Any]) -> None:
    rows = [
        BandStatistics(
            report=report,
            product=report.product,
            tile=s.tile,
            band=s.band,
            resolution=s.resolution,
            order=order,
            offset=s.offset,
            quantification=s.quantification,
            scaled_unit=s.scaled_unit,
            detectors=list(s.detectors),
            by_detector={
                "pixels": list(s.count),
                "count": list(s.valid),
                "nodata": list(s.nodata),
                "saturated": list(s.saturated),
                **{name: list(getattr(s, name)) for name in STATISTICS},
            },
            histogram={
                "start": s.histogram.start,
                "width": s.histogram.width,
                "counts": list(s.histogram.counts),
                "below": s.histogram.below,
                "above": s.histogram.above,
            },
        )
        for order, s in enumerate(statistics)
    ]
    BandStatistics.objects.bulk_create(rows, batch_size=CHUNK)


def current_report(product: Any) -> QualityReport | None:
    """The newest report of a product, or none when it has not been checked yet."""
    return QualityReport.objects.filter(product=product, current=True).select_related("run", "product").first()


def report_as_dict(report: QualityReport) -> dict[str, Any]:
    """The whole report as plain values, for the API.

    Statistics are in counts (DN); ``count`` is the number of valid pixels (neither no-data nor saturated) that the
    other numbers describe, ``pixels`` the number of all pixels of the detector (or, for null, of the band).
    """
    return {
        "product": report.product.name,
        "verdict": report.verdict,
        "summary": report.summary,
        "run": report.run_id,
        "made": report.made.isoformat(),
        "checks": [
            {
                "id": c.check_id,
                "title": c.title,
                "group": c.group,
                "status": c.status,
                "required": c.required,
                "expected": c.expected,
                "measured": c.measured,
                "message": c.message,
                "where": c.where,
                "reference": c.reference,
            }
            for c in report.checks.all()
        ],
        "olqc": [
            {
                "report": r.name,
                "level": r.scope,
                "item": r.item,
                "status": r.status,
                "version": r.version,
                "parent": r.parent,
                "readable": r.readable,
                "schema_valid": r.schema_valid,
                "problem": r.problem,
                "checks": [
                    {"id": c.check_id, "name": c.name, "status": c.status, "message": c.message, "values": c.values}
                    for c in r.checks.all()
                ],
            }
            for r in report.olqc_reports.prefetch_related("checks")
        ],
        "statistics": [row for s in report.band_statistics.all() for row in statistics_rows(s)],
    }


CONTRACT = ("product", "verdict", "checks", "olqc", "statistics")
CONTRACT_OF_CHECKS = ("id", "status", "required", "expected", "measured", "message")
CONTRACT_OF_OLQC = ("report", "level", "status", "checks")


def report_by_contract(report: QualityReport) -> dict[str, Any]:
    """What ``manage.py report NAME --json`` prints. Automation stands on it: these keys, in this order, stay."""
    whole = report_as_dict(report)
    whole["checks"] = [{key: check[key] for key in CONTRACT_OF_CHECKS} for check in whole["checks"]]
    whole["olqc"] = [{key: olqc[key] for key in CONTRACT_OF_OLQC} for olqc in whole["olqc"]]
    return {key: whole[key] for key in CONTRACT}


def statistics_rows(s: BandStatistics) -> list[dict[str, Any]]:
    """One mapping a detector ("01" to "12", None for the whole band), in counts."""
    rows = []
    for index, detector in enumerate(s.detectors):
        row = {"band": s.band, "detector": detector, "tile": s.tile, "resolution": s.resolution}
        for name, values in s.by_detector.items():
            row[{"minimum": "min", "maximum": "max"}.get(name, name)] = values[index]
        rows.append(row)
    return rows
