"""What the readers make of true reports."""

from __future__ import annotations

import orjson
import pytest

from chef_supervisor.domain.analysis import (
    Bundle,
    Cycles,
    Dependencies,
    Missing,
    Module,
    Package,
    Unused,
    Usage,
    Vulnerabilities,
)
from chef_supervisor.engine.analysis import ANALYSIS_READERS
from tests.unit.engine.analysis.samples import asked, read


@pytest.mark.parametrize("name", ["npm-sbom.json", "pnpm-list.json"])
def test_packages_of_node_have_versions_and_licences(name: str) -> None:
    (found,) = read("npm_packages", name, asked("lodash", "@types/node", "nowhere"))

    assert isinstance(found, Dependencies)
    assert [(one.name, one.version, one.license) for one in found.direct] == [
        ("lodash", "4.17.15", "MIT"),
        ("@types/node", "22.20.5", "MIT"),
        ("nowhere", "", ""),
    ]
    assert found.direct_count == 3
    assert [one.name for one in found.locked] == ["@types/node", "clsx", "lodash", "nanoid", "undici-types"]
    assert found.locked_count == 5


def test_packages_of_a_python_environment_are_found_by_any_spelling_of_their_names() -> None:
    (found,) = read("cyclonedx", "python-sbom.json", asked("Requests", "Charset_Normalizer"))

    assert isinstance(found, Dependencies)
    assert [(one.name, one.version, one.license) for one in found.direct] == [
        ("Requests", "2.31.0", "Apache Software License"),
        ("Charset_Normalizer", found.direct[1].version, "MIT"),
    ]
    assert Package(name="certifi", version="2026.10.18", license="MPL-2.0") in found.locked


def test_knip_tells_unused_and_missing_dependencies_and_cycles() -> None:
    usage, cycles = read("knip", "knip.json")

    assert usage == Usage(
        unused=(Unused(name="lodash", kind="runtime"), Unused(name="react", kind="runtime")),
        unused_count=2,
        missing=(Missing(name="dayjs", file="src/main.js", line=2),),
        missing_count=1,
    )
    assert cycles == Cycles(paths=(("src/b.js", "src/main.js"),), count=1)


def test_deptry_tells_unused_and_missing_dependencies() -> None:
    (usage,) = read("deptry", "deptry.json", asked("Click", kind="dev"))

    assert usage == Usage(
        unused=(Unused(name="attrs", kind="runtime"), Unused(name="click", kind="dev")),
        unused_count=2,
        missing=(Missing(name="yaml", file="app/a.py", line=2),),
        missing_count=1,
    )


def test_cycles_that_share_a_file_are_both_found() -> None:
    (cycles,) = read("import_graph", "imports.json")

    assert cycles == Cycles(paths=(("app/a.py", "app/b.py"), ("app/b.py", "app/sub/c.py", "app/sub/d.py")), count=2)


def test_modules_of_the_bundle_are_measured_and_named_by_their_package() -> None:
    (bundle,) = read("bundle", "bundle.json")

    assert isinstance(bundle, Bundle)
    assert bundle.modules[0].path == "node_modules/react/cjs/react.production.js"
    assert {"src/main.js", "src/b.js", "node_modules/clsx/dist/clsx.mjs"} <= {one.path for one in bundle.modules}
    assert sum(one.bytes for one in bundle.modules) <= bundle.bytes
    assert bundle.module_count == len(bundle.modules)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("npm-audit.json", [("lodash", "", "GHSA-35jh-r3h4-6jhm", "high"), ("nanoid", "", "GHSA-mwcw-c2x4-8c55", "moderate")]),
        (
            "pnpm-audit.json",
            [("lodash", "4.17.15", "GHSA-35jh-r3h4-6jhm", "high"), ("nanoid", "3.3.20", "GHSA-mwcw-c2x4-8c55", "moderate")],
        ),
        (
            "yarn-audit.txt",
            [("lodash", "4.17.15", "GHSA-35jh-r3h4-6jhm", "high"), ("nanoid", "3.3.20", "GHSA-mwcw-c2x4-8c55", "moderate")],
        ),
        (
            "bun-audit.json",
            [
                ("lodash", "", "GHSA-jf85-cpcp-j695", "critical"),
                ("lodash", "", "GHSA-35jh-r3h4-6jhm", "high"),
                ("nanoid", "", "GHSA-mwcw-c2x4-8c55", "moderate"),
            ],
        ),
    ],
)  # fmt: skip
def test_every_package_manager_tells_the_same_advisories_worst_first(
    name: str, expected: list[tuple[str, str, str, str]]
) -> None:
    (found,) = read("npm_audit", name)

    assert isinstance(found, Vulnerabilities)
    assert [(one.package, one.version, one.id, one.severity) for one in found.items] == expected
    assert found.count == len(expected)
    assert found.items[-1].title == "Predictable results in nanoid generation when given non-integer values"


def test_pip_audit_tells_where_a_vulnerability_is_fixed() -> None:
    (found,) = read("pip_audit", "pip-audit.json")

    assert isinstance(found, Vulnerabilities)
    assert [(one.package, one.version, one.id, one.fixed_in) for one in found.items] == [
        ("jinja2", "2.10", "CVE-2019-10906", "2.10.1")
    ]
    assert found.unchecked == 0


@pytest.mark.parametrize("order", [1, -1])
def test_of_two_versions_the_one_that_the_project_depends_on_is_the_declared_ones(order: int) -> None:
    bill = orjson.dumps(
        {
            "bomFormat": "CycloneDX",
            "metadata": {"component": {"bom-ref": "root"}},
            "components": [{"bom-ref": f"a@{one}", "name": "a", "version": one} for one in ("1.0", "2.0")][::order],
            "dependencies": [{"ref": "a@1.0", "dependsOn": ["a@2.0"]}, {"ref": "root", "dependsOn": ["a@1.0"]}],
        }
    )

    (found,) = ANALYSIS_READERS["cyclonedx"].read(bill, asked("a"))

    assert isinstance(found, Dependencies)
    assert [one.version for one in found.direct] == ["1.0"]
    assert [one.version for one in found.locked] == ["1.0", "2.0"]


def test_names_of_node_that_differ_by_a_dot_are_two_packages() -> None:
    report = orjson.dumps([{"dependencies": {"lodash.get": {"version": "1.0"}, "lodash-get": {"version": "2.0"}}}])

    (found,) = ANALYSIS_READERS["npm_packages"].read(report, asked("lodash.get", "lodash-get"))

    assert isinstance(found, Dependencies)
    assert [one.version for one in found.direct] == ["1.0", "2.0"]


def test_a_package_that_several_files_miss_is_told_once_with_the_first() -> None:
    issues = [{"file": f"{name}.js", "unlisted": [{"name": "dayjs", "line": 1}]} for name in "ab"]

    usage, _ = ANALYSIS_READERS["knip"].read(orjson.dumps({"issues": issues}), asked())

    assert isinstance(usage, Usage)
    assert (usage.missing, usage.missing_count) == ((Missing(name="dayjs", file="a.js", line=1),), 1)


def test_modules_of_the_bundle_are_named_by_their_package_wherever_it_lies() -> None:
    leaf = {"filename": "../deps/key/node_modules/.pnpm/a@1/node_modules/a/index.js", "parsedSize": 7}
    report = orjson.dumps([{"parsedSize": 9, "source": [{"groups": [leaf]}]}, {"parsedSize": 1, "source": [leaf]}])

    (bundle,) = ANALYSIS_READERS["bundle"].read(report, asked())

    assert bundle == Bundle(bytes=10, modules=(Module(path="node_modules/a/index.js", bytes=14),), module_count=1)
