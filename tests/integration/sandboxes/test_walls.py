"""What a box cannot reach: the network, this machine's files, the service, other boxes, more privileges."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import attrs
import pytest

from chef_supervisor.domain.work import StepOutput
from chef_supervisor.sandboxes.sandbox import Role, Sandbox
from tests.integration.sandboxes.boxes import LIMITS, order, python, run, shell, work

pytestmark = pytest.mark.asyncio

CANARY = "canary-2a9d5e17"
# Tries what is in TARGETS and every gateway, and prints whom it reached.
REACH = """
import json, os, socket, struct
targets = json.loads(os.environ['TARGETS'])
routes = [line.split() for line in open('/proc/net/route').read().splitlines()[1:]]
gateways = {socket.inet_ntoa(struct.pack('<I', int(route[2], 16))) for route in routes if int(route[2], 16)}
targets += [[gateway, port] for gateway in gateways for _, port in targets]
reached = []
for host, port in targets:
    try:
        socket.create_connection((host, port), timeout=5).close()
        reached.append(host)
    except OSError:
        pass
print(json.dumps({'reached': reached, 'routes': len(routes)}))
"""
RESOLVE = """
import socket
try:
    print(socket.getaddrinfo('example.com', 443))
except OSError:
    print('no resolver')
"""
WRITE = """
import os
for folder in ('/', '/usr', '/etc', '/opt', '/opt/chef', '/opt/chef/agent', '/deps', '/proc', '/sys', '/dev', '/var',
               '/home', '/root', '/run', '/usr/local/bin', '/proc/sys/kernel', '/sys/fs/cgroup', '/proc/1'):
    try:
        os.close(os.open(folder + '/leak', os.O_CREAT | os.O_WRONLY))
        print('wrote', folder)
    except OSError:
        pass
for file in ('/proc/sys/kernel/core_pattern', '/proc/sysrq-trigger', '/proc/1/fd/1', '/proc/1/mem', '/proc/1/oom_score_adj'):
    try:
        os.close(os.open(file, os.O_WRONLY))
        print('opened', file)
    except OSError:
        pass
"""
SEARCH = """
import os
def texts():
    for pid in filter(str.isdigit, os.listdir('/proc')):
        for name in ('environ', 'cmdline', 'mountinfo'):
            yield f'/proc/{pid}/{name}'
    for top in ('/etc', '/home', '/root', '/tmp', '/var', '/run', '/deps', '/workspace', '/opt/chef', '/dev/shm', '/mnt'):
        for folder, _, names in os.walk(top):
            yield from (os.path.join(folder, name) for name in names)
needle = bytes.fromhex(os.environ['NEEDLE'])
for path in texts():
    try:
        if os.path.isfile(path) and needle in open(path, 'rb').read(1 << 20):
            print('found in', path)
    except OSError:
        pass
print('seen', os.environ.get('CHEF_TEST_CANARY'), os.path.exists(os.environ['PLACE']))
"""
PRIVILEGES = """
import ctypes, os, socket
status = dict(line.split(':', 1) for line in open('/proc/self/status').read().splitlines())
assert all(int(status[name], 16) == 0 for name in ('CapInh', 'CapPrm', 'CapEff', 'CapBnd', 'CapAmb')), status
assert status['NoNewPrivs'].strip() == '1'
assert os.getuid() == os.getgid() == 65532 and os.getgroups() in ([], [65532]), os.getgroups()
libc = ctypes.CDLL(None, use_errno=True)
assert libc.unshare(0x10000000) == -1, 'a user namespace'
assert libc.unshare(0x00020000) == -1, 'a mount namespace'
assert libc.mount(b'none', b'/tmp', b'tmpfs', 0, None) == -1, 'a mount'
assert libc.ptrace(16, 1, 0, 0) == -1, 'ptrace of the agent'
for family, kind in ((17, 3), (2, 3)):
    try:
        socket.socket(family, kind)
        raise SystemExit(f'a raw socket of family {family}')
    except OSError:
        pass
if os.uname().machine == 'x86_64':
    for name, number in (('keyctl', 250), ('add_key', 248), ('bpf', 321), ('perf_event_open', 298), ('kexec_load', 246)):
        ctypes.set_errno(0)
        assert libc.syscall(number, 0, 0, 0, 0, 0) == -1 and ctypes.get_errno() in (1, 38), (name, ctypes.get_errno())
print('none')
"""
FILTERED = """
import ctypes, errno, os, socket
for family in (38, 40, 17):
    try:
        socket.socket(family, socket.SOCK_STREAM)
        raise SystemExit(f'a socket of family {family}')
    except OSError as error:
        assert error.errno == errno.EAFNOSUPPORT, error
libc = ctypes.CDLL(None, use_errno=True)
assert libc.syscall(425, 1, 0) == -1 and ctypes.get_errno() == errno.EPERM, 'io_uring'
for family in (socket.AF_UNIX, socket.AF_INET, socket.AF_INET6):
    socket.socket(family, socket.SOCK_STREAM).close()
socket.socketpair()
import threading
threading.Thread(target=print, args=('threads',)).start()
"""


async def _listen() -> tuple[asyncio.Server, int]:
    async def close(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.close()
        await writer.wait_closed()

    server = await asyncio.start_server(close, "0.0.0.0", 0)
    return server, server.sockets[0].getsockname()[1]


async def _reach(sandbox: Sandbox, role: Role) -> dict[str, object]:
    server, port = await _listen()
    async with server:
        targets = json.dumps([["127.0.0.1", port], ["172.17.0.1", port], ["1.1.1.1", 53], ["169.254.169.254", 80]])
        heard = await run(sandbox, work(python(REACH, env={"TARGETS": targets})), role=role)
    return dict(json.loads(heard.output()))


async def test_a_job_reaches_nobody(sandbox: Sandbox) -> None:
    assert await _reach(sandbox, Role.JOB) == {"reached": [], "routes": 0}


async def test_a_job_has_no_resolver(sandbox: Sandbox) -> None:
    heard = await run(sandbox, work(python(RESOLVE)))

    assert heard.output() == b"no resolver\n"


async def test_an_install_box_has_network(sandbox: Sandbox) -> None:
    reach = await _reach(sandbox, Role.INSTALL)

    assert reach["routes"], reach
    assert reach["reached"], reach


@pytest.mark.parametrize("role", list(Role))
async def test_nothing_is_written_outside_the_workspace(sandbox: Sandbox, role: Role) -> None:
    heard = await run(sandbox, work(python(WRITE)), role=role)

    assert heard.output() == b""
    assert heard.ended[0].exit_code == 0


async def test_nothing_of_the_supervisor_is_seen(
    sandbox: Sandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CHEF_TEST_CANARY", CANARY)
    place = tmp_path / "secret"
    place.write_text(CANARY)
    step = python(SEARCH, env={"NEEDLE": CANARY.encode().hex(), "PLACE": str(place)})

    for role in Role:
        heard = await run(sandbox, work(step), role=role)

        assert heard.output() == b"seen None False\n"


async def test_nothing_of_another_box_is_seen(sandbox: Sandbox) -> None:
    step = python(SEARCH, env={"NEEDLE": CANARY.encode().hex(), "PLACE": "/nowhere"})
    async with sandbox.box(order(), None) as other:
        events = other.run(work(shell(f"echo ready; sleep 600; : {CANARY}"), files={"file": CANARY.encode()}))
        while not isinstance(await anext(events), StepOutput):
            pass

        heard = await run(sandbox, work(step))

    assert heard.output() == b"seen None False\n"


async def test_a_box_has_no_privileges_and_gains_none(sandbox: Sandbox) -> None:
    heard = await run(sandbox, work(python(PRIVILEGES)))

    assert heard.output() == b"none\n"


async def test_bubblewrap_filters_system_calls(bubblewrap_sandbox: Sandbox) -> None:
    heard = await run(bubblewrap_sandbox, work(python(FILTERED)))

    assert heard.output() == b"threads\n"


async def test_files_of_a_box_are_executable_and_gone_with_it(sandbox: Sandbox) -> None:
    files = {"run.sh": b"#!/bin/sh\necho ran\n"}

    first = await run(sandbox, work(shell("chmod +x run.sh && ./run.sh"), files=files))
    second = await run(sandbox, work(shell("ls")))

    assert (first.output(), second.output()) == (b"ran\n", b"")


async def test_a_file_cannot_be_put_outside_by_its_path(sandbox: Sandbox) -> None:
    heard = await run(sandbox, attrs.evolve(work(shell("echo never")), files={"../tmp/x": b"x"}), limits=LIMITS)

    assert heard.started == []
    assert heard.end.warnings
