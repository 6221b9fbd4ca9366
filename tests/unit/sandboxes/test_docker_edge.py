"""Docker at our boundary: every error has a sentence, and what the engine did not apply is noticed."""

from __future__ import annotations

import copy
import http.client
import inspect
from typing import Any

import docker.errors
import docker.tls
import pytest
import requests
import requests.exceptions
import urllib3.exceptions

from chef_supervisor.domain.errors import SandboxUnavailable
from chef_supervisor.sandboxes.config import DockerConfig
from chef_supervisor.sandboxes.docker import DockerSandbox
from chef_supervisor.sandboxes.docker.address import Address, address_of
from chef_supervisor.sandboxes.docker.container import faults, labels
from chef_supervisor.sandboxes.docker.trouble import TROUBLE, EngineFault, unavailable
from chef_supervisor.sandboxes.docker.volume import volume_name
from chef_supervisor.sandboxes.sandbox import BoxOrder, Limits, Role

ORDER = BoxOrder(
    name="n", role=Role.JOB, limits=Limits(memory_bytes=1 << 28, cpus=0.5, pids=10, workspace_bytes=1 << 20)
)
TAKEN: dict[str, Any] = {
    "Config": {"User": "65532:65532"},
    "Mounts": [],
    "HostConfig": {
        "NetworkMode": "none",
        "ReadonlyRootfs": True,
        "Privileged": False,
        "CapDrop": ["ALL"],
        "CapAdd": None,
        "SecurityOpt": ["no-new-privileges:true"],
        "Binds": None,
        "Devices": [],
        "PidMode": "",
        "IpcMode": "private",
        "Memory": 1 << 28,
        "MemorySwap": 1 << 28,
        "NanoCpus": 500_000_000,
        "PidsLimit": 10,
    },
}


def classes_of(module: Any) -> list[type[Exception]]:
    found = [value for _, value in inspect.getmembers(module, inspect.isclass)]
    own = [value for value in found if value.__module__ == module.__name__]
    return [value for value in own if issubclass(value, Exception) and not issubclass(value, Warning)]


@pytest.mark.parametrize("module", [docker.errors, requests.exceptions, urllib3.exceptions, http.client])
def test_every_error_that_docker_may_raise_is_caught(module: Any) -> None:
    uncaught = [error for error in classes_of(module) if not issubclass(error, TROUBLE)]

    assert uncaught == []


def refused(status: int, message: str) -> docker.errors.APIError:
    response = requests.Response()
    response.status_code = status
    return docker.errors.APIError("refused", response=response, explanation=message)


@pytest.mark.parametrize(
    ("error", "advice"),
    [
        (docker.errors.ImageNotFound("x"), "scripts/images"),
        (refused(409, "the name is taken"), "the name is taken"),
        (requests.exceptions.ConnectionError("x"), "DOCKER_HOST"),
        (docker.errors.DockerException("x"), "DOCKER_HOST"),
        (TimeoutError(), "in time"),
        (PermissionError(13, "no"), "group"),
    ],
)
def test_an_error_says_what_to_do(error: Exception, advice: str) -> None:
    told = unavailable(error, "do it")

    assert isinstance(told, SandboxUnavailable)
    assert advice in told.reason
    assert "cannot do it" in told.reason


def test_a_forbidden_socket_is_recognised_through_its_wrappings() -> None:
    wrapped = requests.exceptions.ConnectionError("x")
    wrapped.__cause__ = urllib3.exceptions.ProtocolError("y")
    wrapped.__cause__.__context__ = PermissionError(13, "no")

    assert "group" in unavailable(wrapped, "do it").reason


@pytest.mark.parametrize(
    "host",
    [
        "unix:///nowhere/engine.sock",
        "tcp://127.0.0.1:1",
        "tcp://user:hunter2@127.0.0.1:1",
        "ssh://user:hunter2@nowhere",
        "nowhere://engine.sock",
    ],
)
@pytest.mark.asyncio
async def test_where_the_engine_is_looked_for_is_told_to_nobody(host: str) -> None:
    sandbox = DockerSandbox(DockerConfig(host=host))

    with pytest.raises(SandboxUnavailable) as told:
        await sandbox.ping()

    assert not any(part in told.value.reason for part in ("nowhere", "engine.sock", "127.0.0.1", "hunter2"))
    assert "DOCKER_HOST" in told.value.reason
    await sandbox.close()


def test_the_systems_words_are_told() -> None:
    wrapped = requests.exceptions.ConnectionError("x")
    wrapped.__cause__ = urllib3.exceptions.ProtocolError("y")
    wrapped.__cause__.__context__ = ConnectionRefusedError(111, "no")

    assert "Connection refused" in unavailable(wrapped, "do it").reason


def test_what_we_found_out_is_told_as_it_is() -> None:
    assert unavailable(EngineFault("the engine lies"), "do it").reason == "cannot do it: the engine lies"


def test_a_container_as_asked_has_no_faults() -> None:
    assert faults(TAKEN, ORDER, None) == []


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("Memory", 0),
        ("MemorySwap", -1),
        ("NanoCpus", 0),
        ("PidsLimit", None),
        ("NetworkMode", "bridge"),
        ("Privileged", True),
        ("ReadonlyRootfs", False),
        ("CapDrop", None),
        ("CapAdd", ["SYS_ADMIN"]),
        ("SecurityOpt", ["seccomp=unconfined"]),
        ("Binds", ["/:/host"]),
        ("PidMode", "host"),
        ("IpcMode", "shareable"),
    ],
)
def test_what_the_engine_did_not_apply_is_noticed(field: str, value: object) -> None:
    inspected = copy.deepcopy(TAKEN)
    inspected["HostConfig"][field] = value

    assert faults(inspected, ORDER, None) == [field]


def test_another_user_or_mount_is_noticed() -> None:
    inspected = {**TAKEN, "Config": {"User": ""}, "Mounts": [{"Type": "bind", "Source": "/"}]}

    assert faults(inspected, ORDER, None) == ["User", "Mounts"]


def test_our_labels_win() -> None:
    told = labels(
        DockerConfig(instance="i"),
        "r",
        BoxOrder(name="n", role=Role.JOB, limits=ORDER.limits, labels={"chef.supervisor": "other", "chef.job": "j"}),
    )

    marks = {"chef.supervisor": "i", "chef.realm": "r", "chef.role": "job"}
    assert told == {**marks, "chef.image": "chef-runner:dev", "chef.job": "j"}


@pytest.mark.parametrize(
    ("host", "address"),
    [
        ("unix:///run/x.sock", Address(path="/run/x.sock")),
        ("tcp://10.0.0.1:2375", Address(host="10.0.0.1", port=2375)),
        (None, Address(path="/var/run/docker.sock")),
    ],
)
def test_addresses(host: str | None, address: Address) -> None:
    assert address_of({"base_url": host}) == address


def test_an_address_that_boxes_cannot_use_is_refused() -> None:
    with pytest.raises(docker.errors.DockerException, match="neither"):
        address_of({"base_url": "ssh://user@host"})


@pytest.mark.parametrize("name", ["", "../x", "a b", "x" * 200])
def test_names_of_volumes_are_checked(name: str) -> None:
    with pytest.raises(ValueError, match="no name"):
        volume_name(name)


@pytest.mark.asyncio
async def test_without_an_engine_the_probe_says_so() -> None:
    sandbox = DockerSandbox(DockerConfig(host="unix:///nowhere/docker.sock"))

    with pytest.raises(SandboxUnavailable, match="start it, or set DOCKER_HOST"):
        await sandbox.probe()

    await sandbox.close()


def test_tls_is_taken_over() -> None:
    tls = docker.tls.TLSConfig(verify=False)

    address = address_of({"base_url": "tcp://10.0.0.1:2376", "tls": tls})

    assert (address.host, address.port) == ("10.0.0.1", 2376)
    assert address.tls is not None
    assert not address.tls.check_hostname
