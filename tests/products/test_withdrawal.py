"""Withdrawing a product and its consequences, and that reinstating undoes them."""

from __future__ import annotations

from typing import Any

import pytest
from django.core.cache import cache
from django.core.exceptions import PermissionDenied
from django.test import Client

from mpc.accounts.actors import local_actor
from mpc.accounts.models import AuditEntry, User
from mpc.accounts.roles import Role
from mpc.jobs import MeasuredValue, Outcome
from mpc.monitoring.models import Measurement, Series
from mpc.monitoring.services import store_measurements
from mpc.products import services, withdrawal
from mpc.products.models import Intake, Product
from mpc.products.summaries import arrivals_by_unit, newest_arrivals
from mpc.products.views import search_products
from mpc.runs import services as runs
from mpc.runs.models import Run, State
from qc.models import QualityReport
from tests.products.test_services import described
from tests.qc.making import START, make_product, signed_in

pytestmark = pytest.mark.django_db
WHY = "Wrong calibration: see the note of 2 September"


@pytest.fixture(autouse=True)
def _no_requests_counted() -> None:
    cache.clear()


@pytest.fixture
def operator(db: None) -> Client:
    return signed_in(Role.OPERATOR, name="olga")


@pytest.fixture
def commits(django_capture_on_commit_callbacks: Any) -> Any:
    """``with commits():`` what is to be done after a commit is done at the end."""
    return lambda: django_capture_on_commit_callbacks(execute=True)


def withdraw(product: Product, reason: str = WHY) -> Product:
    return withdrawal.withdraw(product, actor=local_actor(), reason=reason)


def reinstate(product: Product) -> Product:
    return withdrawal.reinstate(product, actor=local_actor())


# --- The product -----------------------------------------------------------------------------------------------------
def test_it_keeps_its_row_and_says_who_when_and_why() -> None:
    product = withdraw(make_product())
    assert product.withdrawn
    assert (product.withdrawn_by, product.withdrawn_reason) == (local_actor(), WHY)
    assert WHY in product.withdrawal
    entry = AuditEntry.objects.get(action="products.withdrawn")
    assert (entry.object_id, entry.actor_name) == (str(product.pk), "local")
    assert entry.after == {"withdrawn": True, "reason": WHY}

    back = reinstate(product)
    assert (back.withdrawn, back.withdrawn_by, back.withdrawn_reason, back.withdrawal) == (False, None, "", "")
    entry = AuditEntry.objects.get(action="products.reinstated")
    assert entry.before["reason"] == WHY
    assert entry.after == {"withdrawn": False}


def test_what_cannot_be_changed_is_told() -> None:
    product = make_product()
    with pytest.raises(withdrawal.CannotChange, match="Say why"):
        withdraw(product, "  \n")
    with pytest.raises(withdrawal.CannotChange, match="is not withdrawn"):
        reinstate(product)
    withdraw(product)
    with pytest.raises(withdrawal.CannotChange, match="was withdrawn on .* by Local commands: Wrong calibration"):
        withdraw(product, "again")
    assert Product.objects.get().withdrawn_reason == WHY
    assert AuditEntry.objects.filter(action__startswith="products.").count() == 1


@pytest.mark.parametrize("role", [Role.VIEWER, Role.QC_ENGINEER, Role.ESL_EXPERT])
def test_who_may_not_changes_nothing(role: Role) -> None:
    product, client = make_product(), signed_in(role)
    with pytest.raises(PermissionDenied):
        withdrawal.withdraw(product, actor=User.objects.get(username="ann"), reason=WHY)
    assert client.post(f"/products/{product.name}/withdraw/", {"reason": WHY}).status_code == 403
    assert client.post(f"/api/v1/products/{product.name}/withdraw/", {"reason": WHY}).status_code == 403
    assert "Withdraw…" not in client.get(product.get_absolute_url()).content.decode()
    assert not Product.objects.get().withdrawn


def test_the_newest_version_is_the_newest_in_use() -> None:
    actor = local_actor()
    old = services.store(described("05.00"), actor=actor, trigger="ingest").product
    new = services.store(described("05.12"), actor=actor, trigger="ingest").product

    def newest() -> list[str]:
        return list(Product.objects.filter(newest=True).values_list("name", flat=True))

    assert newest() == [new.name]
    withdraw(new)
    assert newest() == [old.name]
    withdraw(old)
    assert newest() == []
    reinstate(new)
    assert newest() == [new.name]
    reinstate(old)
    assert newest() == [new.name]


def test_a_later_version_beside_a_withdrawn_one() -> None:
    first = services.store(described("05.12"), actor=local_actor(), trigger="ingest").product
    withdraw(first)
    other = services.store(described("05.00"), actor=local_actor(), trigger="ingest").product
    assert list(Product.objects.filter(newest=True)) == [other]


def test_taking_a_withdrawn_product_in_again_says_so_and_does_not_reinstate() -> None:
    product = services.store(described(), actor=local_actor(), trigger="ingest").product
    withdraw(product)
    again = services.store(described(), actor=local_actor(), trigger="inbox")
    assert (again.result, again.product) == (Intake.Result.KNOWN, product)
    assert WHY in again.intake.message
    assert "stays withdrawn" in again.intake.message
    assert Product.objects.get().withdrawn


# --- Lists, search, counts -------------------------------------------------------------------------------------------
def names(client: Client, **query: str) -> set[str]:
    rows = client.get("/api/v1/products/", query).json()["results"]
    exported = client.get("/products/", {**query, "format": "json"})
    shown = b"".join(exported.streaming_content).decode()
    for row in rows:
        assert row["name"] in shown
    return {row["name"] for row in rows}


def test_it_leaves_lists_search_and_counts_and_comes_back(operator: Client) -> None:
    kept, gone = make_product(), make_product(1)
    for product in (kept, gone):
        Intake.objects.create(source=product.path, result="taken", product=product, trigger="ingest")
    both = {kept.name, gone.name}
    assert names(operator) == both
    withdraw(gone)
    assert names(operator) == names(operator, unit="S2B") == {kept.name}
    assert names(operator, withdrawn="true") == {gone.name}
    assert names(operator, withdrawn="any") == both
    listed = operator.get("/products/").content.decode()
    assert kept.name in listed
    assert gone.name not in listed
    assert gone.name in operator.get("/products/", {"withdrawn": "true"}).content.decode()
    assert [hit.title for hit in search_products(None, "S2B", 9)] == [kept.name]
    assert [summary.total for summary in arrivals_by_unit()] == [1]
    assert [intake.product for intake in newest_arrivals()] == [kept]
    reinstate(gone)
    assert names(operator) == both
    assert len(search_products(None, "S2B", 9)) == 2
    assert [summary.total for summary in arrivals_by_unit()] == [2]


def test_a_refusal_stands_among_the_newest_arrivals_as_before() -> None:
    services.refuse("x.zip", "no product", actor=local_actor(), trigger="upload")
    assert [intake.source for intake in newest_arrivals()] == ["x.zip"]


def test_its_quality_report_leaves_the_list_and_stays_under_its_name(operator: Client) -> None:
    product = make_product()
    run = Run.objects.create(kind="qc.product", title="x", product=product, queue="qc", trigger="arrival")
    QualityReport.objects.create(product=product, run=run, verdict="FAILED", summary="x")

    def listed() -> list[str]:
        return [row["product"] for row in operator.get("/api/v1/reports/").json()["results"]]

    assert listed() == [product.name]
    withdraw(product)
    assert listed() == []
    assert product.name not in operator.get("/quality/", {"verdict": "FAILED"}).content.decode()
    assert operator.get(f"/api/v1/reports/{product.name}/").json()["verdict"] == "FAILED"
    assert operator.get(f"/quality/{product.name}/").status_code == 200
    reinstate(product)
    assert listed() == [product.name]


# --- Measurements ----------------------------------------------------------------------------------------------------
def measured(product: Product, number: float, kind: str = "qc.product", band: str = "B02") -> None:
    run = Run.objects.create(kind=kind, title="x", product=product, queue="qc", trigger="arrival")
    value = MeasuredValue(
        metric="image.mean_reflectance", value=number, unit="S2B", level="L1C", baseline="05.11", band=band,
        time=product.sensing_start or START, samples=10, no_uncertainty="an exact count, no estimate",
    )  # fmt: skip
    store_measurements(run, Outcome(summary="x", measurements=(value,)))


def shown() -> list[float]:
    return sorted(Measurement.objects.shown().values_list("value", flat=True))


def kept_counts() -> list[tuple[Any, ...]]:
    """What the series keep; proved against the measurements themselves."""
    kept = []
    for series in Series.objects.order_by("band"):
        times = sorted(Measurement.objects.shown().filter(series=series).values_list("time", flat=True))
        true = (len(times), times[0] if times else None, times[-1] if times else None)
        assert (series.count, series.first_time, series.last_time) == true
        kept.append(true)
    return kept


def test_its_measurements_are_hidden_and_come_back_exactly(operator: Client) -> None:
    products = [make_product(day) for day in range(3)]
    for day, product in enumerate(products):
        measured(product, day + 0.5)
        measured(product, float(day))  # supersedes
    measured(products[0], 9.0, band="B03")  # a series of this product alone
    before = (shown(), kept_counts(), list(Measurement.objects.order_by("pk").values()))
    for number, left in ((0, [1.0, 2.0]), (2, [0.0, 1.0, 9.0]), (1, [0.0, 2.0, 9.0])):
        withdraw(products[number])
        assert shown() == left
        kept_counts()
        rows = operator.get("/api/v1/measurements/").json()["results"]
        assert sorted(row["value"] for row in rows) == left
        reinstate(products[number])
        assert (shown(), kept_counts(), list(Measurement.objects.order_by("pk").values())) == before


def test_all_products_of_a_series_withdrawn_and_back() -> None:
    products = [make_product(day) for day in range(2)]
    for day, product in enumerate(products):
        measured(product, float(day))
        withdraw(product)
    assert shown() == []
    assert kept_counts() == [(0, None, None)]
    for product in reversed(products):
        reinstate(product)
        kept_counts()
    assert shown() == [0.0, 1.0]


def test_what_a_run_measures_that_ends_too_late_is_hidden_and_supersedes() -> None:
    product = make_product()
    measured(product, 1.0)
    withdraw(product)
    measured(product, 2.0)
    assert shown() == []
    assert kept_counts() == [(0, None, None)]
    reinstate(product)
    assert shown() == [2.0]
    kept_counts()


# --- Runs ------------------------------------------------------------------------------------------------------------
def test_active_runs_are_cancelled_and_others_left(commits: Any) -> None:
    product, other = make_product(), make_product(1)
    queued, _ = runs.request_run("qc.product", actor=local_actor(), product=product)
    elsewhere, _ = runs.request_run("qc.product", actor=local_actor(), product=other)
    over = Run.objects.create(
        kind="qc.product", title="x", product=product, queue="qc", trigger="arrival", state=State.SUCCEEDED
    )
    running = Run.objects.create(
        kind="qc.other", title="x", product=product, queue="qc", trigger="arrival", state=State.RUNNING, attempt=1
    )
    with commits():
        withdraw(product)
    states = dict(Run.objects.values_list("pk", "state"))
    assert (states[queued.pk], states[elsewhere.pk], states[over.pk]) == ("cancelled", "queued", "succeeded")
    assert Run.objects.get(pk=running.pk).cancel_requested_at is not None  # its supervisor ends it


def test_no_run_is_asked_for_or_tried_again_on_it(operator: Client, commits: Any) -> None:
    product = make_product()
    run, _ = runs.request_run("qc.product", actor=local_actor(), product=product)
    with commits():
        withdraw(product)
    with pytest.raises(runs.CannotRequest, match="was withdrawn on .*Wrong calibration.*Reinstate it first"):
        runs.request_run("qc.product", actor=local_actor(), product=product)
    run.refresh_from_db()
    with pytest.raises(runs.NotNow, match="Reinstate it first"):
        runs.retry_run(run, local_actor())
    answer = operator.post("/api/v1/runs/", {"kind": "qc.product", "product": product.name}, "application/json")
    assert answer.status_code == 400
    assert "was withdrawn" in answer.json()["product"][0]
    assert runs.jobs_for(Product.objects.get(), local_actor()) == []
    assert Run.objects.filter(state__in=("queued", "running")).count() == 0
    reinstate(product)
    assert runs.retry_run(run, local_actor()).state == State.QUEUED


# --- Page and API ----------------------------------------------------------------------------------------------------
def test_the_page_withdraws_with_a_reason_and_reinstates(operator: Client) -> None:
    product = make_product()
    page = operator.get(product.get_absolute_url()).content.decode()
    assert 'data-open="withdraw"' in page
    assert 'id="withdraw-reason" name="reason" required' in page
    missing = operator.post(f"/products/{product.name}/withdraw/", {"reason": ""}, follow=True).content.decode()
    assert "Say why the product is withdrawn" in missing
    page = operator.post(f"/products/{product.name}/withdraw/", {"reason": "<b>bad</b>"}, follow=True).content.decode()
    assert "<strong>Withdrawn</strong>" in page
    assert "by olga: &lt;b&gt;bad&lt;/b&gt;" in page
    assert "Reinstate…" in page
    assert 'data-open="withdraw"' not in page
    page = operator.post(f"/products/{product.name}/reinstate/", follow=True).content.decode()
    assert "is in use again" in page
    assert "<strong>Withdrawn</strong>" not in page
    assert operator.post("/products/nothing/withdraw/", {"reason": WHY}).status_code == 404
    assert operator.get(f"/products/{product.name}/withdraw/").status_code == 405


def test_over_rest(operator: Client) -> None:
    product = make_product()
    place = f"/api/v1/products/{product.name}/"
    assert operator.post(f"{place}withdraw/", {}, "application/json").status_code == 400
    done = operator.post(f"{place}withdraw/", {"reason": WHY}, "application/json")
    assert (done.status_code, done.json()["withdrawn_reason"]) == (200, WHY)
    assert operator.post(f"{place}withdraw/", {"reason": WHY}, "application/json").status_code == 409
    whole = operator.get(place).json()
    assert (whole["withdrawn_by"], whole["withdrawn_reason"]) == ("olga", WHY)
    assert whole["withdrawn_at"]
    assert operator.post(f"{place}reinstate/").json()["withdrawn_at"] is None
    assert operator.post(f"{place}reinstate/").status_code == 409
    assert operator.post("/api/v1/products/nothing/withdraw/", {"reason": WHY}).status_code == 404
