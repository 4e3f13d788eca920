"""The files of the deployment hold together: with each other, with the software, and with the rules of the house."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml
from django.conf import settings

from tests.compose.composed import ROOT, MissingVariable, composition, dockerfile, fill, left_out
from tests.compose.conftest import NO_CADDY

GIVEN = {"MPC_SECRET_KEY": "k" * 50, "POSTGRES_PASSWORD": "p"}
OURS = ("web", "worker-qc", "worker-intake", "sweeper", "prepare", "tools")


@pytest.fixture(scope="module")
def services() -> dict[str, Any]:
    return composition(GIVEN)["services"]


# --- The composition -------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("environment", [GIVEN, GIVEN | {"MPC_HOST": "mpc.example.org", "MPC_QC_CPUS": "8"}])
def test_it_fits_the_schema(environment: dict[str, str]) -> None:
    schema = json.loads((ROOT / "tests/compose/compose.schema.json").read_text())
    jsonschema.Draft202012Validator.check_schema(schema)
    jsonschema.validate(composition(environment), schema)


@pytest.mark.parametrize(
    "spoil",
    [
        lambda s: s["web"].update(comand=["x"]),
        lambda s: s["web"].update(restart="sometimes"),
        lambda s: s["web"]["healthcheck"].update(interval="15"),
        lambda s: s["web"]["healthcheck"].update(test=["SHELL", "x"]),
        lambda s: s["proxy"].update(ports=["443:8443:tcp"]),
        lambda s: s["web"]["depends_on"]["prepare"].update(condition="service_done"),
        lambda s: s["web"].update(volumes=["data"]),
        lambda s: s["web"]["deploy"]["resources"]["limits"].update(memory="2 G"),
    ],
)
def test_the_schema_finds_slips(spoil: Any) -> None:
    schema = json.loads((ROOT / "tests/compose/compose.schema.json").read_text())
    composed = json.loads(json.dumps(composition(GIVEN)))
    spoil(composed["services"])
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(composed, schema)


@pytest.mark.parametrize("missing", GIVEN)
def test_it_holds_no_secret_and_asks_for_each(missing: str) -> None:
    with pytest.raises(MissingVariable, match=f"set {missing}"):
        composition({name: value for name, value in GIVEN.items() if name != missing})
    for service in yaml.safe_load((ROOT / "docker-compose.yml").read_text())["services"].values():
        for name, value in service.get("environment", {}).items():
            if re.search(r"PASSWORD|SECRET|_KEY$|TOKEN|_URL$", name) and name != "MPC_BROKER_URL":
                assert re.search(r"\$\{(MPC_SECRET_KEY|POSTGRES_PASSWORD):\?", value), name


def test_every_service_is_there_and_guarded(services: dict[str, Any]) -> None:
    assert set(services) == {*OURS, "proxy", "database", "broker"}
    for name, service in services.items():
        assert service["cap_drop"] == ["ALL"], name
        assert service["security_opt"] == ["no-new-privileges:true"], name
        assert service["read_only"] is True, name
        assert service["deploy"]["resources"]["limits"].keys() == {"cpus", "memory", "pids"}, name
        assert service["logging"]["options"]["max-size"], name
        lasting = name not in ("prepare", "tools")
        assert service["restart"] == ("unless-stopped" if lasting else "no"), name
        assert ("healthcheck" in service) == lasting, name


def test_only_the_proxy_can_be_reached_from_outside(services: dict[str, Any]) -> None:
    assert [name for name, service in services.items() if "ports" in service] == ["proxy"]
    networks = composition(GIVEN)["networks"]
    assert networks["inside"]["internal"] is True
    reach = {name: set(service["networks"]) for name, service in services.items()}
    assert reach["proxy"] == {"outside"}
    assert reach["web"] == {"inside", "outside"}
    assert all(reach[name] == {"inside"} for name in reach.keys() - {"proxy", "web"})


def test_nobody_is_root(services: dict[str, Any]) -> None:
    _, stages = dockerfile()
    for name, service in services.items():
        user = service.get("user") or stages[service["build"]["target"]].last("USER")
        assert user.split(":")[0] not in ("", "root", "0"), name


def test_who_waits_for_whom(services: dict[str, Any]) -> None:
    for name, service in services.items():
        for other, how in service.get("depends_on", {}).items():
            condition = how["condition"]
            assert other in services
            if condition == "service_healthy":
                assert "healthcheck" in services[other], (name, other)
            else:
                assert (condition, services[other]["restart"]) == ("service_completed_successfully", "no"), (
                    name,
                    other,
                )
    for name in ("web", "worker-qc", "worker-intake", "sweeper"):
        assert services[name]["depends_on"]["prepare"]["condition"] == "service_completed_successfully"


def test_volumes_and_networks_are_declared(services: dict[str, Any]) -> None:
    composed = composition(GIVEN)
    for name, service in services.items():
        assert set(service["networks"]) <= composed["networks"].keys(), name
        sources = [volume.split(":")[0] for volume in service.get("volumes", [])]
        assert {s for s in sources if not s.startswith((".", "/"))} <= composed["volumes"].keys(), name
    for name in OURS:
        products = [v for v in services[name]["volumes"] if v.split(":")[1] in ("/inbox", "/schemas")]
        assert all(volume.endswith(":ro") for volume in products)


def test_every_queue_has_its_worker(services: dict[str, Any]) -> None:
    served: list[str] = []
    for name in ("worker-qc", "worker-intake"):
        command = services[name]["command"]
        served += command[command.index("--queues") + 1].split(",")
    assert sorted(served) == sorted(settings.MPC_WORKER_QUEUES)


def test_every_variable_is_one_that_the_settings_read(services: dict[str, Any]) -> None:
    source = (ROOT / "mpc/settings.py").read_text() + (ROOT / "mpc/celery.py").read_text()
    for name in services["web"]["environment"]:
        assert f'"{name}"' in source or name == "DATABASE_URL", name


def test_defaults_are_those_of_the_settings(services: dict[str, Any]) -> None:
    """Where the composition repeats a default, it is the same."""
    given = services["web"]["environment"]
    for name in [n for n in given if n.startswith("MPC_KEEP_")] + ["MPC_MIN_FREE_MB", "MPC_UPLOAD_LIMIT_MB"]:
        assert int(given[name]) == getattr(settings, name), name


# --- The images ------------------------------------------------------------------------------------------------------
def test_every_file_that_an_image_takes_is_there() -> None:
    _, stages = dockerfile()
    for stage in stages.values():
        for rest in stage.all("COPY"):
            words = rest.split()
            source = [word for word in words if not word.startswith("--")][:-1]
            if any(word.startswith("--from=") for word in words):
                assert words[0].removeprefix("--from=") in stages
                continue
            for name in source:
                assert (ROOT / name).exists(), name
                assert not left_out(name), name


def test_the_site_takes_what_it_runs_and_nothing_else() -> None:
    files = [str(p.relative_to(ROOT)) for p in ROOT.rglob("*") if p.parts[len(ROOT.parts)] not in (".venv", "var")]
    taken = {name.split("/")[0] for name in files if not left_out(name)}
    assert {"mpc", "qc", "processors", "templates", "static", "manage.py", "bench"} <= taken
    assert not taken & {"tests", "docs", ".git", ".ci", "var", "Dockerfile", "docker-compose.yml"}
    assert left_out("mpc/__pycache__/settings.cpython-311.pyc")
    assert left_out(".venv/bin/python")
    assert left_out("var/secret-key")


def test_one_gdal_and_the_one_that_was_tested() -> None:
    import rasterio

    arguments, stages = dockerfile()
    pinned = dict(
        line.split("==") for line in (ROOT / "requirements-production.txt").read_text().splitlines() if "==" in line
    )
    assert arguments["GDAL"] == pinned["gdal"] == rasterio.__gdal_version__
    assert stages["build"].base == stages["site"].base
    assert stages["build"].base.endswith(f"-{arguments['GDAL']}")
    assert f"rasterio=={rasterio.__version__}" in (ROOT / "requirements.txt").read_text().splitlines()
    (install,) = [run for run in stages["build"].all("RUN") if "pip install" in run]
    assert "--only-binary :all: --no-binary rasterio,gdal -r requirements-production.txt" in install


def test_what_the_images_state_about_themselves(services: dict[str, Any]) -> None:
    _, stages = dockerfile()
    assert list(stages)[-1] == "site", "what is built without a target"
    site = stages["site"]
    assert site.listed("CMD") == services["web"]["command"]
    assert site.listed("HEALTHCHECK") == services["web"]["healthcheck"]["test"][1:]
    assert stages["proxy"].listed("HEALTHCHECK") == services["proxy"]["healthcheck"]["test"][1:]
    environment = site.environment()
    data = [volume.split(":")[1] for volume in services["web"]["volumes"] if volume.startswith("data:")]
    assert [environment["MPC_DATA_DIR"]] == data
    # The root of the file system cannot be written: whatever is written has a place in the volume.
    for name in ("TMPDIR", "NUMBA_CACHE_DIR"):
        assert environment[name].startswith(f"{environment['MPC_DATA_DIR']}/")
    assert fill(site.environment()["MPC_BIND"], {}) == "0.0.0.0:8000"
    assert services["proxy"]["ports"] == ["80:8080", "443:8443"]


def test_the_proxys_file_is_valid(caddy: str, tmp_path: Path) -> None:
    if not caddy:
        pytest.skip(NO_CADDY)
    for site in ("", "mpc.example.org", "http://mpc.example.org"):
        environment = {"HOME": str(tmp_path), **({"MPC_SITE": site} if site else {})}
        done = subprocess.run(
            [caddy, "validate", "--config", str(ROOT / "deploy/Caddyfile"), "--adapter", "caddyfile"],
            env=environment, capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
