"""The house's deployment on Docker and Kubernetes pools: the job that their workers would start, rendered.

Rendered by Prefect's own template functions from its own templates, with what `deploy/` puts in; no container is
started here.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import prefect.server.api
import pytest
from prefect.utilities.templating import apply_values

from models.settings import HOUSE, Settings

BUNDLED = Path(prefect.server.api.__file__).parent / "collections_data" / "views" / "aggregate-worker-metadata.json"
SECRET = {
    "MASH_DATABASE_URL": "postgresql+psycopg://mash_app:s3cret@db/mash",
    "MASH_KEY": "a2V5",
    "MASH_PROFILE": "/mash/profiles/bnes.toml",
    "MASH_PORTAL_URL": "https://mash.example",
}


def _ours(kind: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((HOUSE / "deploy" / f"{kind}.json").read_text())
    return found


def _prefects(kind: str) -> dict[str, Any]:
    found = json.loads(BUNDLED.read_text())[f"prefect-{kind}"][kind]["default_base_job_configuration"]
    assert isinstance(found, dict)
    return found


def _rendered(kind: str) -> dict[str, Any]:
    template = _ours(kind)
    variables = template["variables"]["properties"].items()
    values = {name: variable["default"] for name, variable in variables if variable.get("default") is not None}
    found = apply_values(template["job_configuration"], values | {"command": "prefect flow-run execute"})
    assert isinstance(found, dict)
    # What a variable brings in may be filled in from the worker's own surroundings.
    return dict(apply_values(found, {}))


@pytest.fixture(autouse=True)
def worker_environment(monkeypatch):
    """What the worker itself was started with."""
    for name, value in SECRET.items():
        monkeypatch.setenv(name, value)


def _without_defaults(template: dict[str, Any]) -> dict[str, Any]:
    bare: dict[str, Any] = json.loads(json.dumps(template))
    for variable in bare["variables"]["properties"].values():
        variable.pop("default", None)
    return bare


@pytest.mark.parametrize("kind", ["docker", "kubernetes"])
def test_the_template_is_prefects_own_apart_from_what_we_put_in(kind):
    """A newer Prefect with another template fails here"""
    ours, theirs = _without_defaults(_ours(kind)), _without_defaults(_prefects(kind))
    if kind == "kubernetes":
        [container] = ours["job_configuration"]["job_manifest"]["spec"]["template"]["spec"]["containers"]
        assert container.pop("envFrom") == [{"secretRef": {"name": "mash-run"}}]
    assert ours == theirs


def test_a_docker_job_runs_our_image_with_what_the_worker_knows():
    job = _rendered("docker")
    assert job["image"] == "mash:latest"
    assert job["command"] == "prefect flow-run execute"
    assert job["env"] == SECRET
    assert job["privileged"] is False


def test_a_kubernetes_job_runs_our_image_once_with_a_secret_of_the_cluster():
    job = _rendered("kubernetes")
    pod = job["job_manifest"]["spec"]["template"]["spec"]
    [container] = pod["containers"]
    assert (container["image"], container["args"]) == ("mash:latest", "prefect flow-run execute")
    assert container["envFrom"] == [{"secretRef": {"name": "mash-run"}}]
    assert (job["job_manifest"]["spec"]["backoffLimit"], pod["restartPolicy"]) == (0, "Never")


@pytest.mark.parametrize("kind", ["docker", "kubernetes"])
def test_no_secret_is_kept_in_the_engine(kind):
    """What the pool's template says is readable by whoever reads the engine's database"""
    text = json.dumps(_ours(kind))
    assert not any(value in text for value in SECRET.values())


def test_every_setting_without_a_default_is_handed_to_a_docker_job():
    needed = {f"MASH_{name.upper()}" for name, field in Settings.model_fields.items() if field.is_required()}
    assert needed <= _rendered("docker")["env"].keys()
