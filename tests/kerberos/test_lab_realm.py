"""Kerberos for real: an MIT KDC, the lab as acceptor, an unmodified pypsrp as client."""

import pytest
from pypsrp.exceptions import AuthenticationError

from orchestrator.lab import Lab, Options
from orchestrator.lab.realm import Realm, missing_packages
from tests.lab.outsider import Client

pytestmark = pytest.mark.kerberos

HOST = "ex01.contoso.example"


@pytest.mark.parametrize("encryption", ["auto", "always", "never"])
def test_a_ticket_opens_a_session(lab: Lab, encryption: str) -> None:
    with Client(
        lab,
        auth="kerberos",
        username=None,
        password=None,
        encryption=encryption,
        negotiate_service="HTTP",
        negotiate_hostname_override=HOST,
    ) as client:
        assert client.run("Get-TransportConfig").output
        client.run(
            "Set-TransportConfig",
            TLSReceiveDomainSecureList={"Remove": "fabrikam.com"},
            Confirm=False,
        )
    assert [entry.caller for entry in lab.audit()] == ["CONTOSO\\ops"]
    assert lab.open_shells == 0


def test_a_ticket_opens_a_session_over_tls(lab: Lab) -> None:
    with Client(
        lab,
        auth="kerberos",
        ssl=True,
        cert_validation=str(lab.ca_file),
        username=None,
        password=None,
        negotiate_service="HTTP",
        negotiate_hostname_override=HOST,
    ) as client:
        assert client.run("Get-TransportConfig").output


def test_negotiate_takes_the_ticket_too(lab: Lab) -> None:
    with Client(
        lab,
        auth="negotiate",
        username=None,
        password=None,
        negotiate_service="HTTP",
        negotiate_hostname_override=HOST,
    ) as client:
        assert client.run("Get-TransportConfig").output


def test_without_a_ticket_nobody_gets_in(
    lab: Lab, monkeypatch: pytest.MonkeyPatch, tmp_path: object
) -> None:
    monkeypatch.setenv("KRB5CCNAME", f"FILE:{tmp_path}/none")
    with (
        pytest.raises(Exception, match=r"(?i)credential"),
        Client(
            lab,
            auth="kerberos",
            username=None,
            password=None,
            negotiate_service="HTTP",
            negotiate_hostname_override=HOST,
        ),
    ):
        pass
    assert lab.open_shells == 0


def test_a_server_without_kerberos_offers_none(realm: Realm) -> None:
    del realm
    with (
        Lab("default", options=Options(auth=("basic",))) as lab,
        pytest.raises(AuthenticationError),
        Client(lab, auth="kerberos", username=None, password=None),
    ):
        pass


def test_a_missing_program_is_named_by_its_package() -> None:
    assert missing_packages({"no-such-program": "krb5-nothing"}) == ("krb5-nothing",)
