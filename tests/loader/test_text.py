"""A file that cannot be read says why, and what to do about it."""

import os
import sys
from pathlib import Path

import pytest

from orchestrator.core.errors import ConfigurationError
from orchestrator.loader import read_text
from orchestrator.loader.text import MAX_BYTES


def _refusal(path: Path) -> ConfigurationError:
    with pytest.raises(ConfigurationError) as caught:
        read_text(path)
    assert caught.value.file == str(path)
    return caught.value


def test_a_file_is_read_as_utf_8(tmp_path: Path) -> None:
    file = tmp_path / "a.yaml"
    file.write_bytes("grüße: 1\r\n".encode())
    assert read_text(file) == "grüße: 1\r\n"


def test_the_byte_order_mark_of_windows_is_dropped(tmp_path: Path) -> None:
    file = tmp_path / "a.yaml"
    file.write_bytes(b"\xef\xbb\xbfa: 1")
    assert read_text(file) == "a: 1"


def test_a_missing_file_has_the_name_most_like_it(tmp_path: Path) -> None:
    (tmp_path / "inventory.yaml").touch()
    error = _refusal(tmp_path / "inventroy.yaml")
    assert error.reason == "there is no such file"
    assert error.advice == f"Did you mean {tmp_path / 'inventory.yaml'}?"
    assert _refusal(tmp_path / "x").advice == ""


def test_a_missing_directory_is_named(tmp_path: Path) -> None:
    error = _refusal(tmp_path / "nowhere" / "inventory.yaml")
    assert error.advice == f"There is no directory {tmp_path / 'nowhere'} either."


def test_a_directory_is_no_file(tmp_path: Path) -> None:
    assert _refusal(tmp_path).reason == "this is a directory"


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no mode bits")
def test_a_file_of_somebody_else_is_said_to_be_so(tmp_path: Path) -> None:
    file = tmp_path / "a.yaml"
    file.touch(mode=0o000)
    if sys.platform != "win32":
        myself = os.geteuid()
        if myself == 0:  # root may read everything, so it becomes nobody for a moment
            os.seteuid(65534)
        try:
            assert _refusal(file).reason == "you may not read this file"
        finally:
            os.seteuid(myself)


def test_a_name_that_no_file_can_have_is_said_to_be_so() -> None:
    assert _refusal(Path("a" * 5000)).reason.startswith("the file cannot be read: ")
    assert _refusal(Path("a\0b")).reason.startswith("the file cannot be read: ")


def test_a_file_larger_than_a_person_writes_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "a.yaml"
    file.write_bytes(b"#" * (MAX_BYTES + 1))
    assert _refusal(file).reason == "the file is larger than 1024 KiB"
    file.write_bytes(b"#" * MAX_BYTES)
    assert len(read_text(file)) == MAX_BYTES


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "latin-1"])
def test_another_encoding_is_refused_with_the_way_out(tmp_path: Path, encoding: str) -> None:
    file = tmp_path / "a.yaml"
    mark = b"\xff\xfe" if encoding == "utf-16-le" else b""
    file.write_bytes(mark + "a: 1\nb: grüße\n".encode(encoding))
    error = _refusal(file)
    assert "UTF-8" in error.reason
    assert "Set-Content -Encoding utf8" in error.advice
    assert error.line == (2 if encoding == "latin-1" else None)
