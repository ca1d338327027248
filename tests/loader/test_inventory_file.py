"""An inventory file is loaded whole and strictly, or explained where it is wrong."""

from datetime import date
from pathlib import Path
from typing import Any

import msgspec
import pytest
import yaml

from orchestrator.core.calendar import Freeze, Window
from orchestrator.core.errors import ConfigurationError
from orchestrator.core.inventory import (
    Auth,
    Credential,
    Encryption,
    Organization,
    Partner,
    Protection,
    Server,
    Smtp,
    Source,
    Timeouts,
    WinRM,
)
from orchestrator.core.limits import Ceiling, Limits
from orchestrator.loader import inventory_schema, load_inventory
from orchestrator.loader.calendar import WrittenFreeze
from orchestrator.loader.inventory import Defaults, Entry, Settings, Written
from orchestrator.loader.winrm import ListedServer, WrittenWinRM

_WORKDAYS = (0, 1, 2, 3, 4)
_CHRISTMAS = Freeze(date(2026, 12, 20), date(2027, 1, 7), "Europe/Berlin", "Christmas")
_QUARTER = Freeze(date(2027, 3, 29), date(2027, 3, 31), "Europe/Berlin", "Close of the quarter")
_EXAMPLE = Path(__file__).parents[2] / "inventory.example.yaml"
_ERRORS = sorted((Path(__file__).parent / "errors").glob("*.yaml"))


@pytest.mark.parametrize("path", _ERRORS, ids=lambda path: path.stem)
def test_a_mistake_is_explained_where_it_stands(path: Path) -> None:
    """The first comment of the file is the message, the second the advice."""
    message, advice = (line[1:].strip() for line in path.read_text("utf-8").splitlines()[:2])
    with pytest.raises(ConfigurationError) as caught:
        load_inventory(path)
    assert str(caught.value).removeprefix(f"{path}:").strip() == message
    assert caught.value.advice == advice
    assert "Sesame" not in message + advice


def _load(path: Path, text: str) -> tuple[Organization, ...]:
    file = path / "inventory.yaml"
    file.write_text(text, encoding="utf-8")
    return load_inventory(file).organizations


def test_an_organization_needs_nothing_but_a_server(tmp_path: Path) -> None:
    (found,) = _load(tmp_path, "organizations: {contoso: {servers: [ex01.contoso.example]}}")
    assert found == Organization(
        name="contoso",
        servers=(Server("ex01.contoso.example", "ex01.contoso.example", 80),),
        credential=Credential(Source.KERBEROS),
        path="PowerShell",
        auth=Auth.KERBEROS,
        encryption=Encryption.AUTO,
        spn_service="HTTP",
        timeouts=Timeouts(connect=10, operation=20, pipeline=120, settle=30),
    )


def test_every_key_of_the_example_arrives() -> None:
    _, found = load_inventory(_EXAMPLE).organizations
    assert found == Organization(
        name="tailspin",
        title="Tailspin Toys, Europe",
        servers=(
            Server("ex01.tailspin.example", "ex01.tailspin.example", 443),
            Server("ex02.tailspin.example", "192.0.2.12", 8443),
        ),
        domain_controller="dc01.tailspin.example",
        path="PowerShell",
        ssl=True,
        ca_file=str(_EXAMPLE.parent / "tailspin-ca.pem"),
        auth=Auth.KERBEROS,
        encryption=Encryption.AUTO,
        allow_cleartext=False,
        spn_service="HTTP",
        spn_hostname="mail.tailspin.example",
        user=r"TAILSPIN\ops",
        credential=Credential(Source.KEYRING, "tailspin"),
        timeouts=Timeouts(connect=5, operation=20, pipeline=300, settle=60),
        tags=("production", "emea"),
        variables={"partner": "fabrikam.com"},
        protect=Protection(
            connectors=(r"EX01\Scanner relay", "0f6f3b4e-5a5c-4d53-9f0c-3a1f0e6c2b11"),
            domains=("adatum.com",),
            reason="Adatum requires mutual TLS by contract; ask the mail team.",
        ),
        windows=(
            Window("Mon-Fri 20:00-23:00 Europe/Berlin", _WORKDAYS, 1200, 1380, "Europe/Berlin"),
            Window("Sat,Sun 00:00-24:00 UTC", (5, 6), 0, 1440, "UTC"),
        ),
        freezes=(_CHRISTMAS, _QUARTER),
        limits=Ceiling(changes=10, connectors=5),
        winrm=WinRM(
            servers=(
                Server("ex01.tailspin.example", "ex01.tailspin.example", 5986),
                Server("ex02.tailspin.example", "192.0.2.12", 5986),
            ),
            port=5986,
            ssl=True,
            ca_file=str(_EXAMPLE.parent / "tailspin-ca.pem"),
            auth=Auth.KERBEROS,
            encryption=Encryption.AUTO,
            user=r"TAILSPIN\reader",
            credential=Credential(Source.KEYRING, "tailspin-reader"),
            configuration="OrchestratorEvents",
        ),
        partners={
            "fabrikam.com": Partner(
                addresses=("203.0.113.10", "203.0.113.16/28"),
                mail="it@fabrikam.example",
                telephone="+1 425 555 0100",
            )
        },
        smtp=Smtp(
            host="mail.tailspin.example",
            port=587,
            tls="starttls",
            ca_file=str(_EXAMPLE.parent / "tailspin-ca.pem"),
            sender="postmaster@tailspin.example",
        ),
        protocol_logs=(r"D:\ExchangeLogs\FrontEnd\ProtocolLog\SmtpReceive",),
    )


def test_the_winrm_endpoint_is_let_into_as_exchange_is_unless_it_says_otherwise(
    tmp_path: Path,
) -> None:
    (found,) = _load(
        tmp_path,
        "defaults: {auth: ntlm, user: 'C\\ops', winrm: {ssl: true}}\n"
        "organizations: {contoso: {servers: [ex01.contoso.example], winrm: {user: 'C\\reader'}}}",
    )
    assert (found.winrm.auth, found.winrm.user, found.winrm.port) == (Auth.NTLM, r"C\reader", 5986)
    assert found.winrm.credential == Credential(Source.KEYRING, "contoso")
    assert (found.winrm.servers, found.ssl) == ((), False)


def test_partners_are_known_by_their_domains_in_any_case(tmp_path: Path) -> None:
    (found,) = _load(
        tmp_path,
        "organizations: {contoso: {servers: [ex01.contoso.example], "
        "partners: {Fabrikam.COM: {telephone: '1'}}}}",
    )
    assert found.partners == {"fabrikam.com": Partner(telephone="1")}


def test_the_example_says_what_a_batch_may_do_and_where_the_kill_switch_is() -> None:
    found = load_inventory(_EXAMPLE)
    assert found.limits == Limits(changes=50, organizations=20, connectors=30)
    assert found.kill_switch == str(_EXAMPLE.parent / "orchestrator.stop")


def test_freezes_for_everybody_come_on_top_and_windows_are_replaced(tmp_path: Path) -> None:
    first, second, third = _load(
        tmp_path,
        """
defaults:
  windows: [Sat 00:00-24:00 UTC]
  freezes: [{from: 2026-12-20, until: 2027-01-07, zone: Europe/Berlin, reason: Christmas}]
organizations:
  a: {servers: [a.b]}
  b: {servers: [a.b], windows: []}
  c:
    servers: [a.b]
    windows: [Sun 22:00-04:00 UTC]
    freezes:
      - {from: 2027-03-29, until: 2027-03-31, zone: Europe/Berlin, reason: Close of the quarter}
""",
    )
    assert [window.text for window in first.windows] == ["Sat 00:00-24:00 UTC"]
    assert second.windows == ()
    assert [window.text for window in third.windows] == ["Sun 22:00-04:00 UTC"]
    assert first.freezes == second.freezes == (_CHRISTMAS,)
    assert third.freezes == (_CHRISTMAS, _QUARTER)


def _keys(tree: Any) -> set[str]:
    if isinstance(tree, dict):
        return set(tree).union(*map(_keys, tree.values()))
    return set().union(*map(_keys, tree)) if isinstance(tree, list) else set()


_KINDS = [
    Written,
    Settings,
    Defaults,
    Entry,
    ListedServer,
    Timeouts,
    Protection,
    WrittenFreeze,
    WrittenWinRM,
    Partner,
    Smtp,
]


@pytest.mark.parametrize("kind", [*_KINDS, Limits, Ceiling])
def test_the_example_shows_every_key_there_is(kind: type[msgspec.Struct]) -> None:
    shown = _keys(yaml.safe_load(_EXAMPLE.read_text("utf-8")))
    assert set(kind.__struct_encode_fields__) <= shown


def test_groups_hold_the_organizations_of_their_groups() -> None:
    assert load_inventory(_EXAMPLE).groups == {
        "europe": ("tailspin",),
        "everyone": ("contoso", "tailspin"),
    }


def test_many_groups_of_groups_are_quickly_told_apart(tmp_path: Path) -> None:
    """Each group is resolved once; otherwise these would be two to the power of 500."""
    text = "organizations: {a: {servers: [ex01.a.example]}}\ngroups:\n  g500: [a]\n"
    text += "".join(f"  g{n}: [g{n + 1}, g{n + 1}]\n" for n in range(500))
    file = tmp_path / "inventory.yaml"
    file.write_text(text, encoding="utf-8")
    assert load_inventory(file).groups["g0"] == ("a",)


def test_defaults_hold_where_an_organization_says_nothing_else(tmp_path: Path) -> None:
    first, second = _load(
        tmp_path,
        """
defaults:
  auth: ntlm
  user: CONTOSO\\ops
  port: 8080
  timeouts: {connect: 3, pipeline: 60}
organizations:
  contoso:
    servers: [ex01.contoso.example]
  tailspin:
    servers: [ex01.tailspin.example, {name: ex02.tailspin.example, port: 81}]
    user: TAILSPIN\\ops
    port: 8081
    timeouts: {connect: 7}
""",
    )
    assert (first.auth, first.user, first.servers[0].port) == (Auth.NTLM, r"CONTOSO\ops", 8080)
    assert first.timeouts == Timeouts(connect=3, pipeline=60)
    assert (second.auth, second.user) == (Auth.NTLM, r"TAILSPIN\ops")
    assert [server.port for server in second.servers] == [8081, 81]
    assert second.timeouts == Timeouts(connect=7, pipeline=60)


@pytest.mark.parametrize(
    ("written", "credential"),
    [
        ("user: u", "kerberos:"),
        ("{user: u, auth: ntlm}", "keyring:contoso"),
        ("{user: u, auth: negotiate}", "keyring:contoso"),
        ("{user: u, credential: 'keyring:Contoso mail: ops'}", "keyring:Contoso mail: ops"),
        ("{user: u, credential: 'env:OPS_PASSWORD'}", "env:OPS_PASSWORD"),
        ("{user: u, auth: negotiate, credential: 'kerberos:'}", "kerberos:"),
    ],
)
def test_a_credential_has_a_sensible_default(tmp_path: Path, written: str, credential: str) -> None:
    text = f"defaults: {{{written.strip('{}')}}}\norganizations: {{contoso: {{servers: [a.b]}}}}"
    assert str(_load(tmp_path, text)[0].credential) == credential


def test_paths_begin_at_the_inventory(tmp_path: Path) -> None:
    text = f"""
organizations:
  here: {{servers: [a.b], ssl: true, ca_file: ca.pem, user: u, credential: 'file:secrets/ops'}}
  there: {{servers: [a.b], ssl: true, ca_file: {json_text(tmp_path / "x.pem")}}}
"""
    here, there = _load(tmp_path, text)
    assert Path(here.ca_file) == tmp_path / "ca.pem"
    assert Path(here.credential.name) == tmp_path / "secrets" / "ops"
    assert Path(there.ca_file) == tmp_path / "x.pem"


def json_text(path: Path) -> str:
    """Return *path* in quotes, with the backslashes of Windows escaped."""
    return msgspec.json.encode(str(path)).decode()


def test_the_path_of_the_endpoint_may_have_slashes_around_it(tmp_path: Path) -> None:
    (found,) = _load(tmp_path, "organizations: {a: {servers: [a.b], path: /PowerShell/}}")
    assert found.path == "PowerShell"


def test_variables_keep_their_types(tmp_path: Path) -> None:
    text = "organizations: {a: {servers: [a.b], variables: {t: x, n: 5, b: true, v: 15.10}}}"
    (found,) = _load(tmp_path, text)
    assert repr(dict(found.variables)) == "{'t': 'x', 'n': 5, 'b': True, 'v': '15.10'}"


def test_the_schema_describes_every_key_for_editors() -> None:
    found = inventory_schema()
    entry = found["$defs"]["Entry"]["properties"]
    assert set(entry) == set(Entry.__struct_fields__)
    assert [key for key, value in entry.items() if "description" not in value] == []
    assert found["$defs"]["Entry"]["required"] == ["servers"]
