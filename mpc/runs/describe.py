"""A run in plain values and in a line, for commands and the API."""

from __future__ import annotations

from typing import Any

from mpc.runs.models import Run


def run_as_dict(run: Run) -> dict[str, Any]:
    """What commands print: stable names, times in ISO 8601."""
    return {
        "run": run.pk,
        "kind": run.kind,
        "state": str(run.state),
        "product": run.product.name if run.product else None,
        "params": run.params,
        "attempt": run.attempt,
        "verdict": run.verdict or None,
        "summary": run.summary,
        "error_kind": str(run.error_kind) or None,
        "error": run.error,
        "started_at": run.started_at.isoformat() if run.started_at else None,
        "finished_at": run.finished_at.isoformat() if run.finished_at else None,
        "wall_s": run.wall_s,
        "cpu_s": run.cpu_s,
        "peak_rss_mb": run.peak_rss_mb,
        "software_version": run.software_version,
        "git_commit": run.git_commit,
        "artifacts": [{"name": a.name, "size": a.size, "sha256": a.sha256} for a in run.artifacts.all()],
    }


def run_as_line(run: Run) -> str:
    told = run.verdict or run.get_state_display()
    return f"run {run.pk} {run.kind}: {told}. {run.error if run.error else run.summary}".rstrip(" .")
