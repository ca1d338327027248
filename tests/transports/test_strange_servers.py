"""What opening a session says when something else than a healthy Exchange server answers."""

import importlib
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from orchestrator.core.errors import (
    ConfigurationError,
    NotExchange,
    NotLetIn,
    ProtocolViolation,
    Throttled,
    TransportError,
    Unreachable,
)
from orchestrator.transports.psrp import open_session
from orchestrator.transports.target import Deadlines, Target

if TYPE_CHECKING:
    from tests.transports.conftest import Puppet

BUSY = "exceeded the maximum number of connections allowed : 18. Please wait for 30 seconds."


def test_a_web_page_is_not_exchange(puppet: "Puppet") -> None:
    puppet.script = lambda _action, _body: (200, "<html><br>Welcome</html>")
    with pytest.raises(NotExchange, match="does not speak WS-Management"):
        open_session(puppet.target())


def test_a_path_that_does_not_exist_is_told_by_name(puppet: "Puppet") -> None:
    puppet.script = lambda _action, _body: (404, "<h1>Not Found</h1>")
    with pytest.raises(NotExchange, match="no remote PowerShell at this path") as caught:
        open_session(puppet.target())
    assert "/PowerShell" in caught.value.advice


def test_an_ordinary_winrm_listener_is_told_by_name(puppet: "Puppet") -> None:
    puppet.script = lambda _action, _body: puppet.fault(2150858811, "cannot process the request")
    with pytest.raises(NotExchange, match="not offered at this path and port"):
        open_session(puppet.target())


def test_throttling_says_how_long_to_wait(puppet: "Puppet") -> None:
    puppet.script = lambda _action, _body: puppet.fault(0, BUSY)
    with pytest.raises(Throttled) as caught:
        open_session(puppet.target())
    assert caught.value.wait == 30


def test_nobody_is_asked_again_who_has_refused_the_password(puppet: "Puppet") -> None:
    puppet.script = lambda _action, _body: (401, "")
    with pytest.raises(NotLetIn):
        open_session(puppet.target())
    assert puppet.actions == ["Create"]


def test_a_drop_while_opening_releases_what_may_have_been_opened(puppet: "Puppet") -> None:
    puppet.script = lambda action, _body: None if action == "Create" else (200, "<rsp:Nothing/>")
    with pytest.raises(Unreachable, match="broke"):
        open_session(puppet.target())
    assert puppet.actions == ["Create", "Delete"]


def test_an_answer_without_its_parts_is_a_violation(puppet: "Puppet") -> None:
    puppet.script = lambda _action, _body: (
        200,
        "<s:Envelope xmlns:s='http://www.w3.org/2003/05/soap-envelope'/>",
    )
    with pytest.raises(ProtocolViolation):
        open_session(puppet.target())


def test_a_server_that_quotes_the_password_is_not_quoted(puppet: "Puppet") -> None:
    puppet.script = lambda _action, _body: (500, "you said s3cr3t")
    with pytest.raises(TransportError) as caught:
        open_session(puppet.target(password="s3cr3t"))
    assert "s3cr3t" not in str(caught.value)


@pytest.mark.parametrize(
    ("name", "address"), [("ex1.contoso.com", "127.0.0.1"), ("127.0.0.1", ""), ("localhost", "")]
)
def test_a_server_is_called_by_its_name_wherever_it_is(
    puppet: "Puppet", name: str, address: str
) -> None:
    with pytest.raises(TransportError):
        open_session(replace(puppet.target(), name=name, address=address))
    assert puppet.hosts == {f"{name}:{puppet.port}"}


def test_a_port_where_nobody_listens_is_unreachable(puppet: "Puppet") -> None:
    puppet.close()
    with pytest.raises(Unreachable, match="cannot connect"):
        open_session(puppet.target())


def by_ntlm(puppet: "Puppet") -> Target:
    """The puppet, by NTLM."""
    return replace(puppet.target(), auth="ntlm", allow_cleartext=False)


def test_a_server_that_overlooks_the_first_token_is_asked_again_in_its_own_way(
    puppet: "Puppet",
) -> None:
    puppet.script = lambda _action, _body: (401, "")
    puppet.headers = {"WWW-Authenticate": "NTLM"}
    with pytest.raises(NotLetIn):
        open_session(by_ntlm(puppet))
    schemes = [line.partition(" ")[0] for line in puppet.authorizations]
    assert schemes == ["Negotiate", "NTLM"]


def test_a_token_that_makes_no_sense_is_a_violation(puppet: "Puppet") -> None:
    puppet.script = lambda _action, _body: (401, "")
    puppet.headers = {"WWW-Authenticate": "Negotiate bm9uc2Vuc2U="}
    with pytest.raises(ProtocolViolation):
        open_session(by_ntlm(puppet))


def test_kerberos_without_its_library_says_what_to_install(puppet: "Puppet") -> None:
    if importlib.util.find_spec("gssapi") or importlib.util.find_spec("sspilib"):
        pytest.skip("Kerberos is installed here")
    puppet.script = lambda _action, _body: (401, "")
    puppet.headers = {"WWW-Authenticate": "Negotiate"}
    here = Target(name="ex1.contoso.com", address="127.0.0.1", port=puppet.port)
    with pytest.raises(NotLetIn) as caught:
        open_session(here)
    assert "orchestrator[kerberos]" in caught.value.advice


def test_a_ticket_or_password_is_never_sent_in_clear_by_accident() -> None:
    with pytest.raises(ConfigurationError, match="in clear"):
        Target(name="ex1", auth="basic")
    with pytest.raises(ConfigurationError, match="in clear"):
        Target(name="ex1", auth="ntlm", encryption="never")
    with pytest.raises(ConfigurationError, match="no message encryption"):
        Target(name="ex1", auth="basic", ssl=True, encryption="always")
    Target(name="ex1", auth="basic", allow_cleartext=True)
    Target(name="ex1", auth="basic", ssl=True)
    Target(name="ex1", auth="ntlm", encryption="never", ssl=True)


def test_a_target_does_not_show_its_secret() -> None:
    shown = repr(Target(name="ex1", secret=lambda: "s3cr3t"))
    assert "secret" not in shown
    assert "s3cr3t" not in shown


@pytest.mark.parametrize(
    "deadlines", [{"read": 20}, {"operation": 30}, {"connect": 0}, {"pipeline": -1}]
)
def test_deadlines_that_cannot_work_are_refused(deadlines: dict[str, int]) -> None:
    with pytest.raises(ConfigurationError, match="deadline"):
        Deadlines(**deadlines)
