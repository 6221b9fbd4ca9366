"""The rules of a project's paths, and the bytes that wait in Redis."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chef_supervisor.domain.assignment import Assignment
from chef_supervisor.domain.errors import Unprocessable
from chef_supervisor.domain.files import check_collisions, check_path
from chef_supervisor.domain.payload import pack, unpack


@pytest.mark.parametrize(
    "path", ["a", "src/App.tsx", "public/og preview.png", "%2e%2e/x", "__proto__", ".npmrc", "é/文.ts"]
)
def test_an_ordinary_path_is_taken_as_it_is(path: str) -> None:
    assert check_path(path, "data.projectFiles") == path


@pytest.mark.parametrize(
    "path",
    ["", "/", ".", "..", "/etc/passwd", "../../x", "a/../../x", "a/./b", "a//b", "a/", "..\\x", "C:\\x", "C:x"],
)
def test_a_path_that_could_leave_the_project_is_refused(path: str) -> None:
    with pytest.raises(Unprocessable) as refused:
        check_path(path, "data.projectFiles")

    assert refused.value.code == "invalid_path"


@pytest.mark.parametrize("char", ["\\", "\x00", "\n", "\x1b", "\x7f", "\u202e", "\u200b", "\ud800"])
def test_a_character_that_hides_or_breaks_a_path_is_refused(char: str) -> None:
    with pytest.raises(Unprocessable):
        check_path(f"a{char}b", "data.projectFiles")


@pytest.mark.parametrize("path", ["a" * 256, "/".join("a" * 17), "/".join(["a" * 200] * 3)])
def test_a_path_no_file_system_holds_is_refused(path: str) -> None:
    with pytest.raises(Unprocessable) as refused:
        check_path(path, "data.projectFiles")

    assert refused.value.code == "path_too_long"


def test_our_own_folder_is_reserved() -> None:
    with pytest.raises(Unprocessable) as refused:
        check_path(".chef/run", "data.projectFiles")

    assert refused.value.code == "reserved_path"


def test_a_path_is_normalised_so_that_two_spellings_are_one() -> None:
    assert check_path("e\u0301", "f") == "\xe9"


@pytest.mark.parametrize("paths", [["a", "a/b"], ["README.md", "readme.md"], ["a/b/c", "a"]])
def test_paths_that_cannot_stand_beside_each_other_are_refused(paths: list[str]) -> None:
    with pytest.raises(Unprocessable):
        check_collisions(paths, "data.projectFiles")


@pytest.mark.parametrize(
    ("paths", "detail"),
    [
        (["a", "b", "a"], "'a' is there twice"),
        (["Readme.md", "README.md"], "'Readme.md' and 'README.md' differ only in upper and lower case"),
        (["A/B", "a/b/c"], "'A/B' is both a file and a folder"),
    ],
)
def test_paths_that_cannot_stand_beside_each_other_are_named_as_they_were_sent(paths: list[str], detail: str) -> None:
    with pytest.raises(Unprocessable) as refused:
        check_collisions(paths, "data.projectFiles")

    assert (refused.value.code, refused.value.detail) == ("invalid_path", detail)


def test_paths_that_share_a_folder_can_stand_beside_each_other() -> None:
    check_collisions(["a/b", "a/c", "ab"], "data.projectFiles")


@given(st.dictionaries(st.text(st.characters(exclude_categories=["Cs"])), st.binary()))
def test_what_was_packed_is_unpacked_byte_for_byte(files: dict[str, bytes]) -> None:
    assert unpack(pack(Assignment(files=files))) == Assignment(files=files)
