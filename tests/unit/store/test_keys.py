from __future__ import annotations

from chef_supervisor.domain.job import JobId, QueueName
from chef_supervisor.store import scripts
from chef_supervisor.store.keys import QueueKeys, probe_key

KEYS = QueueKeys("chef", QueueName("builds"))


def test_keys_are_named_as_documented() -> None:
    job_id = JobId("builds.0_" + "a" * 26)

    assert KEYS.key("pending") == "chef:{builds.0}:pending"
    assert KEYS.job(job_id) == f"chef:{{builds.0}}:job:{job_id}"
    assert KEYS.payload(job_id) == f"chef:{{builds.0}}:payload:{job_id}"
    assert KEYS.result(job_id) == f"chef:{{builds.0}}:result:{job_id}"
    assert probe_key("chef") == "chef:check"


def test_the_prefixes_that_scripts_take_are_those_of_the_keys() -> None:
    job_id = JobId("builds.0_" + "a" * 26)

    assert KEYS.key("job:") + job_id == KEYS.job(job_id)
    assert KEYS.key("payload:") + job_id == KEYS.payload(job_id)
    assert KEYS.key("result:") + job_id == KEYS.result(job_id)
    assert KEYS.key("log:") + job_id == KEYS.log(job_id)


def test_all_keys_of_a_script_lie_in_one_slot() -> None:
    """A cluster hashes what is between the first braces."""
    tags = {key.partition("{")[2].partition("}")[0] for script in scripts.ALL for key in KEYS.keys(script.keys)}

    assert tags == {"builds.0"}
