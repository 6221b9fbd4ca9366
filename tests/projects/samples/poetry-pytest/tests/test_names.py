from poetry_pytest import names


def test_sections_are_named(tmp_path):
    path = tmp_path / "a.ini"
    path.write_text("[one]\na = 1\n[two]\nb = 2\n")
    assert names(path) == ["one", "two"]
