"""Playbooks are found by path, or by name among the operator's and the shipped ones."""

import re
from pathlib import Path

import pytest

from orchestrator.core.errors import UsageError
from orchestrator.loader import find_playbook, playbook_names
from orchestrator.loader.library import shipped


def test_the_shipped_playbooks_are_known_by_name() -> None:
    assert {
        "remove-domain-security",
        "restore-domain-security",
        "retire-dedicated-connectors",
    } <= set(playbook_names())
    assert find_playbook("remove-domain-security") == shipped() / "remove-domain-security.yaml"


@pytest.mark.parametrize("path", ["x.yaml", "./x", "here/x.yml", "/etc/x.yaml", "../x"])
def test_what_looks_like_a_path_is_one(path: str) -> None:
    assert find_playbook(path) == Path(path)


def test_the_first_directory_that_has_a_name_is_taken(tmp_path: Path) -> None:
    first, second = tmp_path / "first", tmp_path / "second"
    for directory, name in ((first, "a"), (second, "a"), (second, "remove-domain-security")):
        directory.mkdir(exist_ok=True)
        (directory / f"{name}.yaml").touch()
    (second / "notes.txt").touch()
    (second / "folder.yaml").mkdir()
    directories = (tmp_path / "missing", first, second)
    assert find_playbook("a", directories) == first / "a.yaml"
    assert find_playbook("remove-domain-security", directories).parent == second
    assert set(playbook_names(directories)) == {"a", *playbook_names()}


def test_a_name_that_nobody_has_brings_the_nearest() -> None:
    with pytest.raises(UsageError, match="there is no playbook 'remove-domain-sec'") as caught:
        find_playbook("remove-domain-sec")
    assert caught.value.advice == "Did you mean 'remove-domain-security'?"


def test_a_name_like_none_brings_them_all() -> None:
    with pytest.raises(UsageError) as caught:
        find_playbook("qqqqqqq")
    assert re.search(r"There are: .*retire-dedicated-connectors", caught.value.advice)
