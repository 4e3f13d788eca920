"""Every page with a form, by the tests that forms share."""

from __future__ import annotations

import io
import zipfile
from typing import Any, ClassVar

from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse

from mpc.accounts.models import ApiToken, Organisation, User
from mpc.accounts.policy import ENGINEERS, Role
from mpc.monitoring.models import DetectorSetting, Subscription
from mpc.runs.models import Run
from tests import factories
from tests.generic.cases import FormPageCase

ADMINISTRATION = frozenset({Role.ADMINISTRATOR})


class TestAddPerson(FormPageCase):
    url_name = "accounts:person-add"
    roles = ADMINISTRATION
    model = User
    audited = "accounts.create"
    texts = ("username", "display_name", "organisation")
    wrong: ClassVar = (
        ({"username": ""}, "This field is required"),
        ({"username": "somebody"}, "already exists"),
        ({"username": "Somebody"}, "exists already"),
        ({"username": "local"}, "kept for the account of the commands"),
        ({"email": "nonsense"}, "valid email"),
        ({"email": "Somebody@Example.org"}, "exists already"),
        ({"organisation": "nowhere"}, "No organisation “nowhere”"),
        ({"roles": ["boss"]}, "Select a valid choice"),
    )

    def data(self) -> dict[str, Any]:
        return {
            "username": "newcomer", "display_name": "A New Comer", "email": "new@example.org", "roles": ["viewer"],
            "organisation": "",
        }  # fmt: skip

    def check_done(self, answer: Any) -> None:
        made = User.objects.get(username="newcomer")
        assert ([*made.roles], made.display_name) == ([Role.VIEWER], "A New Comer")
        assert not made.has_usable_password()
        assert answer["Location"] == reverse("accounts:person", args=[made.pk])


class TestChangePerson(FormPageCase):
    url_name = "accounts:person"
    roles = ADMINISTRATION
    model = User
    creates = 0
    audited = "accounts."
    texts = ("display_name",)
    wrong: ClassVar = (
        ({"email": "somebody@example.org"}, "exists already"),
        ({"organisation": "nowhere"}, "No organisation"),
        ({"display_name": "x" * 151}, "at most 150 characters"),
    )

    def prepare(self) -> None:
        self.person = factories.member(1)

    def kwargs(self) -> dict[str, Any]:
        return {"pk": self.person.pk}

    def data(self) -> dict[str, Any]:
        return {
            "display_name": "Another Name", "email": "other@example.org", "is_active": "on", "roles": ["operator"],
            "organisation": "LAB001",
        }  # fmt: skip

    def check_done(self, answer: Any) -> None:
        self.person.refresh_from_db()
        assert (self.person.display_name, self.person.email) == ("Another Name", "other@example.org")
        assert self.person.roles == [Role.OPERATOR]


class TestAddOrganisation(FormPageCase):
    url_name = "accounts:organisation-add"
    roles = ADMINISTRATION
    model = Organisation
    audited = "accounts.organisation_create"
    texts = ("name", "short_name", "country")
    wrong: ClassVar = (
        ({"name": ""}, "This field is required"),
        ({"name": "Laboratory 000"}, "already exists"),
        ({"country": "FRANCE"}, "at most 2 characters"),
        ({"kind": "club"}, "Select a valid choice"),
    )

    def prepare(self) -> None:
        factories.organisation(0)

    def data(self) -> dict[str, Any]:
        return {"name": "A New Laboratory", "short_name": "NEW", "kind": "esl", "country": "de", "active": "on"}

    def check_done(self, answer: Any) -> None:
        assert Organisation.objects.get(short_name="NEW").country == "DE"


class TestChangeOrganisation(TestAddOrganisation):
    url_name = "accounts:organisation"
    creates = 0
    audited = "accounts.organisation_change"

    def prepare(self) -> None:
        super().prepare()
        self.organisation = factories.organisation(1)

    def kwargs(self) -> dict[str, Any]:
        return {"pk": self.organisation.pk}


class TestMakeToken(FormPageCase):
    url_name = "accounts:profile"
    without_role = 200
    model = ApiToken
    audited = "accounts.token_make"
    texts = ("name",)
    wrong: ClassVar = (
        ({"name": ""}, "This field is required"),
        ({"name": "   "}, "This field is required"),
        ({"days": "91"}, "less than or equal to 90"),
        ({"days": "0"}, "greater than or equal to 1"),
        ({"days": "ten"}, "whole number"),
    )

    @property
    def post_url(self) -> str:
        return reverse("accounts:token-make")

    def data(self) -> dict[str, Any]:
        return {"name": "nightly", "days": "7"}

    def check_done(self, answer: Any) -> None:
        assert "private" in answer["Cache-Control"]
        assert answer.context["secret"] in answer.content.decode()


class TestStartRun(FormPageCase):
    url_name = "runs:start"
    roles = ENGINEERS
    model = Run
    audited = "runs.start"
    narrow = "kind=qc.product"
    wrong: ClassVar = (
        ({"product": "S2A_NOTHING"}, "No product of this name"),
        ({"product": ""}, "This field is required"),
    )

    def prepare(self) -> None:
        self.product = factories.product()

    def data(self) -> dict[str, Any]:
        page = self.browser().get(self.at())
        form = page.context["form"]
        fields = {form.add_prefix(name): form[name].value() for name in form.fields}
        filled = {name: value for name, value in fields.items() if value not in (None, False, "")}
        return {**filled, "kind": "qc.product", "product": self.product.name}

    def check_done(self, answer: Any) -> None:
        run = Run.objects.get()
        assert (run.product, run.state, run.kind) == (self.product, "queued", "qc.product")
        assert answer["Location"] == run.get_absolute_url()


class TestUpload(FormPageCase):
    url_name = "products:upload"
    roles = ENGINEERS
    model = Run
    audited = "products.uploaded"

    @staticmethod
    def zipped(name: str = "S2B_MSIL1C_20260901T101011_N0511_R022_T33UUU_20260901T121011.SAFE.zip") -> Any:
        held = io.BytesIO()
        with zipfile.ZipFile(held, "w") as archive:
            archive.writestr(zipfile.ZipInfo("note.txt"), "x" * 5000)
        return SimpleUploadedFile(name, held.getvalue(), content_type="application/zip")

    @property
    def wrong(self) -> Any:
        return (
            ({"file": ""}, "Choose a file first"),
            ({"file": SimpleUploadedFile("a.zip", b"no zip at all")}, "not a readable zip"),
            ({"file": self.zipped("../a b.zip")}, "not the name of a zip"),
        )

    def data(self) -> dict[str, Any]:
        return {"file": self.zipped()}

    def check_done(self, answer: Any) -> None:
        assert answer["Location"] == Run.objects.get(kind="products.ingest").get_absolute_url()


class TestNewSetting(FormPageCase):
    url_name = "monitoring:setting-add"
    roles = ENGINEERS
    model = DetectorSetting
    audited = "monitoring.detector_add"
    texts = ("note", "metric", "threshold")
    wrong: ClassVar = (
        ({"note": ""}, "This field is required"),
        ({"threshold": "x"}, "is not a number"),
        ({"threshold": "999"}, "above the maximum"),
        ({"mode": "live"}, "Select a valid choice"),
        ({"metric": "nothing"}, "No metric has the code “nothing”"),
        ({"series": "987654321"}, "There is no series 987654321"),
    )

    def kwargs(self) -> dict[str, Any]:
        return {"code": "step"}

    def data(self) -> dict[str, Any]:
        return {"mode": "shadow", "threshold": "7", "note": "try it", "metric": "", "series": ""}

    def check_done(self, answer: Any) -> None:
        made = DetectorSetting.objects.latest("pk")
        assert (made.mode, made.params, made.note) == ("shadow", {"threshold": 7.0}, "try it")


class TestSubscribe(FormPageCase):
    url_name = "monitoring:subscriptions"
    model = Subscription
    audited = "monitoring.subscription_add"
    texts = ("url",)
    wrong: ClassVar = (
        ({"channel": "pigeon"}, "Select a valid choice"),
        ({"channel": "webhook", "url": "http://example.org/"}, "Webhooks go by https only"),
        ({"channel": "webhook", "url": "https://10.1.1.1/"}, "is not a public address"),
        ({"severity": "1"}, "Select a valid choice"),
    )

    def data(self) -> dict[str, Any]:
        return {"channel": "mail", "url": "", "unit": "S2B", "band": "", "group": "", "severity": "30", "active": "on"}

    def check_done(self, answer: Any) -> None:
        made = Subscription.objects.latest("pk")
        assert (made.channel, made.unit, made.severity, made.secret) == ("mail", "S2B", 30, "")
