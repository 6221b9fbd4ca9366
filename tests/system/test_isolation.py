"""What a job sees from inside: no network, no place to write but its own, nothing of the service or of other jobs."""

from __future__ import annotations

import json

from tests.kit.service import Service, told
from tests.system.conftest import SECRET

# Prints a line for everything that should have been refused.
PROBE = f"""
const fs = require("fs"), net = require("net"), path = require("path");
const leaks = [];
const tryTo = (what, action) => {{ try {{ action(); leaks.push(what) }} catch {{ }} }};
for (const folder of ["/", "/usr", "/etc", "/opt", "/deps", "/home", "/root", "/var", "/opt/chef"])
  tryTo("wrote " + folder, () => fs.writeFileSync(path.join(folder, "leak"), "x"));
for (const file of ["/var/run/docker.sock", "/run/docker.sock", process.env.STATE_CANARY])
  tryTo("sees " + file, () => fs.statSync(file));
tryTo("reads shadow", () => fs.readFileSync("/etc/shadow"));
tryTo("reads memory of pid 1", () => fs.readFileSync("/proc/1/mem"));
if (JSON.stringify(process.env).includes("{SECRET}")) leaks.push("environment");
const seen = [];
for (const pid of fs.readdirSync("/proc").filter(name => /^[0-9]+$/.test(name))) {{
  tryTo("environ of " + pid, () => {{
    if (!fs.readFileSync(`/proc/${{pid}}/environ`, "utf8").includes("{SECRET}")) throw new Error("clean");
  }});
  try {{ seen.push(fs.readFileSync(`/proc/${{pid}}/cmdline`, "utf8")) }} catch {{ }}
}}
if (seen.some(line => line.includes("redis-server") || line.includes("chef_supervisor serve"))) leaks.push("processes");
if (process.getuid() === 0) leaks.push("is root");
const targets = [["1.1.1.1", 53], ["127.0.0.1", +process.env.API_PORT], ["169.254.169.254", 80], ["172.17.0.1", 22]];
let open = targets.length;
const done = () => {{ if (--open === 0) {{ console.log("LEAKS " + JSON.stringify(leaks)); process.exit(leaks.length) }} }};
for (const [host, port] of targets) {{
  const socket = net.connect({{ host, port }});
  socket.setTimeout(3000, () => socket.destroy(new Error("timeout")));
  socket.on("connect", () => {{ leaks.push("network " + host); socket.destroy(); }});
  socket.on("error", () => {{ }});
  socket.on("close", done);
}}
"""


def test_a_job_sees_nothing_of_the_service_and_reaches_nobody(service: Service) -> None:
    state_dir = service.wait_for_event("service.settings")["state_dir"]
    script = f"STATE_CANARY={state_dir}/canary API_PORT={service.url.rpartition(':')[2]} node probe.cjs"
    files = {"package.json": json.dumps({"name": "probe", "scripts": {"test": script}}), "probe.cjs": PROBE}

    job = service.run("test", files)

    assert "LEAKS []" in job["result"]["output"]["head"] + job["result"]["output"]["tail"], told(job)
    assert (job["status"], job["result"]["verdict"]) == ("completed", "passed")
