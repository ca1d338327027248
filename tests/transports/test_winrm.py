"""Programs over WinRM: exactly the arguments given, and no shell left behind."""

import re
from base64 import b64encode
from dataclasses import replace
from html import unescape
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.core.errors import (
    ConnectionLost,
    NotLetIn,
    ProgramFailed,
    TransportError,
    Unreachable,
    UsageError,
)
from orchestrator.transports.bounds import MOST
from orchestrator.transports.target import Deadlines, Target
from orchestrator.transports.winrm import WinRMHost, quote, run
from tests.transports.conftest import Puppet

if TYPE_CHECKING:
    from tests.transports.conftest import Answer

ORDERLY = ["Create", "Command", "Receive", "Signal", "Delete"]
DONE = "http://schemas.microsoft.com/wbem/wsman/1/windows/shell/CommandState/Done"


def target(puppet: "Puppet", pipeline: float = 300) -> Target:
    """The puppet as a server."""
    return replace(puppet.target(), deadlines=Deadlines(pipeline=pipeline))


class Cmd:
    """A cmd shell that runs one program, which says what it was told to."""

    def __init__(self, stdout: bytes = b"", stderr: bytes = b"", code: int = 0) -> None:
        self.instead: dict[str, Answer | None] = {}
        self.line = ""
        self._output = (stdout, stderr, code)

    def __call__(self, action: str, body: str) -> "Answer | None":
        """Answer as the shell does, or as *instead* says."""
        if action in self.instead:
            return self.instead[action]
        match action:
            case "Create":
                return 200, '<rsp:Shell><rsp:Selector Name="ShellId">S1</rsp:Selector></rsp:Shell>'
            case "Command":
                words = re.findall(r"<rsp:(?:Command|Arguments)>([^<]*)<", body)
                self.line = unescape(" ".join(words))
                return (
                    200,
                    "<rsp:CommandResponse><rsp:CommandId>C1</rsp:CommandId></rsp:CommandResponse>",
                )
            case "Receive":
                return 200, self._received()
            case _:
                return 200, "<rsp:Nothing/>"

    def _received(self) -> str:
        stdout, stderr, code = self._output
        streams = "".join(
            f'<rsp:Stream Name="{name}" CommandId="C1">{b64encode(data).decode()}</rsp:Stream>'
            for name, data in (("stdout", stdout), ("stderr", stderr))
        )
        return (
            f"<rsp:ReceiveResponse>{streams}<rsp:CommandState CommandId='C1' State='{DONE}'>"
            f"<rsp:ExitCode>{code}</rsp:ExitCode></rsp:CommandState></rsp:ReceiveResponse>"
        )


def test_a_program_runs_and_its_bytes_come_back(puppet: "Puppet") -> None:
    puppet.script = cmd = Cmd(stdout="<Events>é</Events>".encode("utf-16"))
    query = "/q:*[System[(EventID=11012) and TimeCreated[timediff(@SystemTime) <= 900000]]]"
    output = run(target(puppet), "wevtutil", ["qe", "Application", query, "/f:xml"])
    assert output.decode("utf-16") == "<Events>é</Events>"
    assert understood(cmd.line) == ["wevtutil", "qe", "Application", query, "/f:xml"]
    assert puppet.actions == ORDERLY


def test_an_exit_code_is_an_error_with_what_the_program_said(puppet: "Puppet") -> None:
    puppet.script = Cmd(stderr=b"Access is denied.\r\n", code=5)
    with pytest.raises(ProgramFailed, match="wevtutil ended with 5: Access is denied") as caught:
        run(target(puppet), "wevtutil", ["gl", "Security"])
    assert (caught.value.code, caught.value.complaint) == (5, "Access is denied.")
    assert puppet.actions == ORDERLY


def test_the_shell_is_closed_when_the_wire_fails_in_between(puppet: "Puppet") -> None:
    puppet.script = cmd = Cmd()
    cmd.instead["Receive"] = (500, "")
    with pytest.raises(TransportError):
        run(target(puppet), "wevtutil", [])
    assert puppet.actions == ORDERLY


def test_a_dropped_connection_is_no_known_end(puppet: "Puppet") -> None:
    puppet.script = cmd = Cmd()
    cmd.instead["Command"] = None
    with pytest.raises(ConnectionLost):
        run(target(puppet), "wevtutil", [])
    assert puppet.actions == ["Create", "Command", "Delete"]


def test_a_cleanup_that_fails_does_not_hide_the_output(puppet: "Puppet") -> None:
    puppet.script = cmd = Cmd(stdout=b"all of it")
    cmd.instead = {"Signal": puppet.fault(1, "no"), "Delete": None}
    assert run(target(puppet), "wevtutil", []) == b"all of it"


def test_a_program_that_does_not_end_is_given_up_at_the_deadline(puppet: "Puppet") -> None:
    puppet.script = cmd = Cmd()
    cmd.instead["Receive"] = puppet.fault(2150858793, "nothing yet")
    clock = iter([0.0, 1.0, 2.0, 3.0, 99.0])
    with pytest.raises(ConnectionLost, match="deadline"):
        run(target(puppet, pipeline=10), "wevtutil", [], clock=lambda: next(clock))
    assert puppet.actions == [
        "Create",
        "Command",
        "Receive",
        "Receive",
        "Receive",
        "Signal",
        "Delete",
    ]


def test_output_that_comes_in_pieces_is_put_together(puppet: "Puppet") -> None:
    first = (
        200,
        '<rsp:ReceiveResponse><rsp:Stream Name="stdout">YQ==</rsp:Stream></rsp:ReceiveResponse>',
    )
    cmd = Cmd(stdout=b"bc")
    puppet.script = lambda action, body: (
        first if action == "Receive" and puppet.actions.count("Receive") == 1 else cmd(action, body)
    )
    assert run(target(puppet), "wevtutil", []) == b"abc"


@pytest.mark.parametrize(("password", "scheme"), [("public", "NTLM"), (None, "kerberos|ticket")])
def test_negotiating_means_ntlm_with_a_password_and_kerberos_without(
    puppet: "Puppet", password: str | None, scheme: str
) -> None:
    puppet.script = lambda _action, _body: (401, "")
    puppet.headers = {"WWW-Authenticate": "NTLM"}
    way = replace(target(puppet), auth="negotiate", secret=lambda: password)
    with pytest.raises(TransportError) as caught:
        run(way, "wevtutil", [])
    said = " ".join([*puppet.authorizations, str(caught.value), caught.value.advice])
    assert re.search(scheme, said)


def test_wrong_credentials_are_told_as_such(puppet: "Puppet") -> None:
    puppet.script = lambda _action, _body: (401, "")
    with pytest.raises(NotLetIn) as caught:
        run(target(puppet), "wevtutil", [])
    assert "public" not in str(caught.value)


def test_a_server_that_is_not_there_is_unreachable(puppet: "Puppet") -> None:
    puppet.close()
    with pytest.raises(Unreachable):
        run(target(puppet), "wevtutil", [])


def test_a_redirect_is_not_followed_and_nobody_logs_on_elsewhere(puppet: "Puppet") -> None:
    elsewhere = Puppet()
    try:
        puppet.script = lambda _action, _body: (307, "")
        puppet.headers["Location"] = f"http://127.0.0.1:{elsewhere.port}/wsman"
        with pytest.raises(TransportError, match="sends us on"):
            run(target(puppet), "wevtutil", [])
        assert elsewhere.authorizations == []
    finally:
        elsewhere.close()


def test_an_answer_longer_than_any_may_be_is_given_up(puppet: "Puppet") -> None:
    puppet.script = cmd = Cmd()
    cmd.instead["Receive"] = (200, "<rsp:Nothing/>" + " " * MOST)
    with pytest.raises(TransportError, match="longer than"):
        run(target(puppet, pipeline=5), "wevtutil", [])


def test_control_characters_are_refused_before_anything_is_sent(puppet: "Puppet") -> None:
    with pytest.raises(UsageError, match="control"):
        run(target(puppet), "wevtutil", ["qe\r\nshutdown"])
    assert puppet.actions == []


ARGUMENTS = st.text(st.characters(codec="utf-8", exclude_categories=["Cc"]))


@given(st.lists(ARGUMENTS, min_size=1))
def test_a_program_gets_exactly_the_arguments_given(arguments: list[str]) -> None:
    assert understood(" ".join(map(quote, arguments))) == arguments


def understood(line: str) -> list[str]:
    """What a program gets of a line: cmd takes the carets away, then CommandLineToArgvW splits."""
    bare, special = re.subn(r"\^(.)", r"\1", line), re.sub(r"\^.", "", line)
    assert not set(special) & set('()%!"<>&|'), "cmd would take it for its own"
    return split(bare[0])


def split(line: str) -> list[str]:
    """The rules of CommandLineToArgvW for arguments after the first."""
    arguments: list[str] = []
    current, quoted, at = "", False, 0
    started = False
    while at < len(line):
        slashes = len(line) - at - len(line[at:].lstrip("\\"))
        if slashes:
            quote_follows = line[at + slashes : at + slashes + 1] == '"'
            current += "\\" * (slashes // 2 if quote_follows else slashes)
            at += slashes
            started = True
            if quote_follows and slashes % 2:
                current, at = current + '"', at + 1
        elif line[at] == '"':
            quoted, started, at = not quoted, True, at + 1
        elif line[at] in " \t" and not quoted:
            if started:
                arguments.append(current)
            current, started, at = "", False, at + 1
        else:
            current, started, at = current + line[at], True, at + 1
    return [*arguments, current] if started else arguments


def test_a_shell_that_could_not_be_closed_is_closed_over_a_new_connection(puppet: "Puppet") -> None:
    puppet.script = cmd = Cmd(stdout=b"all of it")
    cmd.instead["Delete"] = None
    assert run(target(puppet), "wevtutil", []) == b"all of it"
    assert puppet.actions == [*ORDERLY, "Delete"]


def test_a_read_whose_wire_breaks_is_tried_once_more_and_no_more(puppet: "Puppet") -> None:
    cmd = Cmd(stdout=b"all of it")
    puppet.script = lambda action, body: (
        None if action == "Command" and puppet.actions.count("Command") == 1 else cmd(action, body)
    )
    assert WinRMHost(target(puppet)).run("wevtutil", []) == b"all of it"
    puppet.actions.clear()
    puppet.script = lambda action, body: None if action == "Command" else cmd(action, body)
    with pytest.raises(ConnectionLost):
        WinRMHost(target(puppet)).run("wevtutil", [])
    assert puppet.actions.count("Command") == 2
