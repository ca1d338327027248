"""A password that is used everywhere and must be found nowhere."""

import itertools
import os
import subprocess
import sys
from base64 import b64encode
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import pytest
from msgspec.structs import replace

from orchestrator.lab import Lab, parse_scenario
from orchestrator.lab.scenario import User
from tests.cli.door import AGREED, REMOVE, RETIRE

CANARY = "Canary-7f3d-Pa55w0rd!"
NT_HASH = "6a38b085fe1a33d45b6ae8d615f0c524"

SCENARIO = replace(
    parse_scenario("""
title: Canary
description: A partner with a connector of its own.
receive_list: [fabrikam.com, adatum.com]
receive_connectors:
  - name: From Fabrikam
    properties:
      AuthMechanism: Tls
      DomainSecureEnabled: true
      PermissionGroups: Partners
      RemoteIPRanges: [203.0.113.10]
"""),
    users=(User(name="ops", password=CANARY),),
)


def forms() -> Iterator[bytes]:
    """The ways in which a password is found again by somebody who looks for it."""
    plain = CANARY.encode()
    wide = CANARY.encode("utf-16-le")
    yield from (plain, plain[::-1], wide, plain.hex().encode(), wide.hex().encode())
    yield from (quote(CANARY, safe="").encode(), NT_HASH.encode(), bytes.fromhex(NT_HASH))
    for text, before in itertools.product((plain, wide), range(3)):
        # Base64 of something in which it stands: what lies before shifts it by up to two bytes.
        yield b64encode(b"x" * before + text)[4 if before else 0 : -4]


COMMANDS = (
    ("doctor",),
    (*REMOVE, "--dry-run"),
    ("plan", *REMOVE[1:], "--out", "fix.plan"),
    (*RETIRE, *AGREED, "--whatif"),
    ("runs", "show", "last", "--output", "json"),
    ("runs", "export", "--format", "csv"),
    ("rollback", "last", "--yes"),
    ("apply", "fix.plan", *AGREED),
)


def test_the_password_is_found_in_nothing_that_is_written_or_said(tmp_path: Path) -> None:
    """With --debug; by NTLM and by Basic; let in, not let in, and with nobody there."""
    tmp_path.chmod(0o700)
    said = b""
    with Lab(SCENARIO) as lab:
        for auth in ("ntlm", "basic"):
            file = tmp_path / f"{auth}.yaml"
            file.write_text(lab.inventory_text(auth=auth))
            for command in COMMANDS if auth == "ntlm" else COMMANDS[:2]:
                said += spoken(tmp_path, file, command, CANARY)
            said += spoken(tmp_path, file, (*REMOVE, *AGREED), CANARY + "wrong")
    said += spoken(tmp_path, file, (*REMOVE, *AGREED), CANARY)
    files = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert {"fix.plan", "journal.sqlite3"} <= {path.name for path in files}
    everything = said + b"".join(path.read_bytes() for path in files)
    assert b"not let in" in said
    for form in forms():
        assert form not in everything, form


def spoken(folder: Path, inventory: Path, command: tuple[str, ...], password: str) -> bytes:
    """Run a command in a process of its own, in *folder*; return everything that it said."""
    environment = {
        **os.environ,
        "ORCHESTRATOR_LAB_PASSWORD": password,
        "ORCHESTRATOR_INVENTORY": str(inventory),
        "ORCHESTRATOR_STORE": str(folder / "store"),
        "PYTHONPATH": os.pathsep.join(sys.path),
    }
    done = subprocess.run(  # noqa: S603 - this program, with arguments of the tests
        [sys.executable, "-m", "orchestrator", "--debug", *command],
        cwd=folder,
        env=environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        check=False,
    )
    assert done.returncode != 1, done
    return done.stdout + done.stderr


@pytest.mark.parametrize("form", [CANARY.encode(), CANARY.encode("utf-16-le")])
def test_a_password_that_lies_around_would_be_found(form: bytes) -> None:
    for before in range(3):
        assert any(each in b64encode(b"x" * before + form) for each in forms())
