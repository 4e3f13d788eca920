"""The job ``qc.product``: quality control of one product, queued when it arrives."""

from __future__ import annotations

from typing import Any

from django.conf import settings

from mpc.jobs import Inputs, Job, register
from qc import services
from qc.checks.settings import QcParams


def _extra_inputs(product_pk: int | None) -> dict[str, Any]:
    return {"schema_dir": str(settings.MPC_SCHEMA_DIR) if settings.MPC_SCHEMA_DIR else None}


def _request_key(params: QcParams, inputs: Inputs) -> str:
    return f"qc.product:{inputs.product}"


QC_PRODUCT = register(
    Job(
        kind="qc.product",
        title="Quality control of a product",
        work="qc.checks.work:inspect_product",
        description=(
            "Inspects the files, the metadata and every pixel of a product, reads the reports of the on-line quality "
            "control, and keeps exact statistics by band and detector."
        ),
        params=QcParams,
        queue="qc",
        on_arrival=True,
        time_limit_s=3600,
        memory_limit_mb=4096,
        request_key=_request_key,
        extra_inputs=_extra_inputs,
        finish=services.store_report,
        given_up=services.give_up,
    )
)
