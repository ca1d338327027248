"""The table of the diagnosis: every finding of it as a row, and which verdict comes of it."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from orchestrator.core.facts import Facts, Observation
from orchestrator.core.inventory import Protection
from orchestrator.exchange.diagnosis import Case, Diagnosis, Hint, Remedy, diagnose, queries
from orchestrator.exchange.incident import Sighting
from orchestrator.exchange.objects import EXCHANGE_SERVER, TRANSPORT_CONFIG
from orchestrator.exchange.senders import Origin, Senders
from tests.exchange.sample import INTERNET, config, frontend, host, receive, ref, seen, send

AT = datetime(2026, 11, 23, 8, 0, tzinfo=UTC)
DEFAULT = r"EX01\Default Frontend EX01"
OWN = r"EX01\From Fabrikam"


def event(
    number: int = 11012,
    connector: str = DEFAULT,
    *,
    domain: str = "fabrikam.com",
    server: str = "EX01.contoso.example",
    at: datetime | None = AT,
    details: Sequence[tuple[str, str]] = (),
    incomplete: tuple[str, ...] = (),
) -> Sighting:
    """Return a sighting on EX01."""
    return Sighting(
        id=number,
        provider="MSExchangeFrontEndTransport",
        domain=domain,
        connector=connector,
        server=server,
        first=at,
        last=at,
        details=tuple(details),
        origins=("EX01",),
        incomplete=incomplete,
    )


def everyday(*more: Observation, listed: Sequence[str] = ("fabrikam.com",)) -> Facts:
    """Return a plain organization: default connectors on two servers, and what is added."""
    return seen(config(listed), frontend("EX01"), frontend("EX02"), INTERNET, host("EX01"), *more)


def pair(**changed: object) -> Facts:
    """Return an organization where fabrikam.com has a connector of its own on two servers."""
    return everyday(receive("EX01", **changed), receive("EX02", **changed))  # type: ignore[arg-type]  # values of properties


def edge(name: str = "EDGE01") -> Observation:
    """Return an Edge server."""
    return Observation(ref(EXCHANGE_SERVER, name), {"Name": name, "ServerRole": ("Edge",)})


def refused(
    *addresses: str,
    others: Sequence[str] = (),
    accepted: Sequence[str] = (),
    domain: str = "fabrikam.com",
) -> Senders:
    """Return what a protocol log says when these addresses were refused."""
    return Senders(
        domain,
        (
            *(Origin(a, 3, answer="530 5.7.1 no", others=tuple(others)) for a in addresses),
            *(Origin(a, accepted=2) for a in accepted),
        ),
        senders=(f"anna@{domain}",),
        sources=("recv.log",),
        first=AT,
        last=AT,
    )


def case(facts: Facts, *sightings: Sighting, **more: object) -> Case:
    """Return the case of fabrikam.com."""
    return Case("fabrikam.com", facts, sightings, **more)  # type: ignore[arg-type]  # fields by name


def rules_of(found: Diagnosis) -> list[str]:
    """Return the rules that found something."""
    return [finding.rule for finding in found.findings]


SHARED = (event(connector=OWN, domain="adatum.com"),)
KNOWN = ("203.0.113.0/24",)

ROWS: Sequence[tuple[str, Case, Remedy, str]] = (
    ("not on the list", case(everyday(listed=()), event()), Remedy.NOTHING_TO_DO, "not-listed"),
    (
        "not on the list, and no event either",
        case(everyday(listed=())),
        Remedy.NOTHING_TO_DO,
        "not-listed",
    ),
    (
        "a Partners-only connector that was left on",
        case(everyday(receive("EX01"), listed=()), event(connector=OWN)),
        Remedy.RETIRE_DEDICATED,
        "partners-only-left",
    ),
    ("listed, and no event", case(everyday()), Remedy.NEEDS_A_PERSON, "no-event"),
    (
        "an event that names no connector",
        case(everyday(), event(connector="", incomplete=("connector: it is not there",))),
        Remedy.NEEDS_A_PERSON,
        "incomplete-event",
    ),
    (
        "a connector that serves everybody",
        case(everyday(), event()),
        Remedy.REMOVE_FROM_LIST,
        "serves-everybody",
    ),
    (
        "the list has it in other letters",
        case(everyday(listed=("Fabrikam.COM",)), event()),
        Remedy.REMOVE_FROM_LIST,
        "serves-everybody",
    ),
    (
        "a connector with a name of its own that serves everybody",
        case(
            everyday(frontend("EX01", Name="Relay")),
            event(connector=r"EX01\Relay"),
        ),
        Remedy.REMOVE_FROM_LIST,
        "serves-everybody",
    ),
    (
        "a connector of few addresses that lets anonymous sessions in",
        case(
            everyday(receive("EX01", PermissionGroups=("AnonymousUsers", "Partners"))),
            event(connector=OWN),
        ),
        Remedy.REMOVE_FROM_LIST,
        "serves-everybody",
    ),
    ("a dedicated pair", case(pair(), event(connector=OWN)), Remedy.RETIRE_DEDICATED, "dedicated"),
    (
        "a dedicated pair, seen on the default connector too",
        case(pair(), event(connector=OWN), event()),
        Remedy.RETIRE_DEDICATED,
        "dedicated",
    ),
    (
        "another listed domain on the same connector",
        case(
            replace(
                pair(),
                known={
                    **pair().known,
                    TRANSPORT_CONFIG: (config(("fabrikam.com", "adatum.com")),),
                },
            ),
            event(connector=OWN),
            others=SHARED,
        ),
        Remedy.NEEDS_A_PERSON,
        "shared-connector",
    ),
    (
        "another domain on it that is not listed any more",
        case(pair(), event(connector=OWN), others=SHARED),
        Remedy.RETIRE_DEDICATED,
        "dedicated",
    ),
    (
        "nobody would take over",
        case(seen(config(), receive("EX01"), INTERNET), event(connector=OWN)),
        Remedy.NEEDS_A_PERSON,
        "take-over",
    ),
    (
        "a protected connector",
        case(
            pair(),
            event(connector=OWN),
            protection=Protection(connectors=("From Fabrikam",), reason="audited"),
        ),
        Remedy.NEEDS_A_PERSON,
        "protected",
    ),
    (
        "a protected domain",
        case(everyday(), event(), protection=Protection(domains=("fabrikam.com",), reason="law")),
        Remedy.NEEDS_A_PERSON,
        "protected",
    ),
    (
        "signs that contradict each other",
        case(everyday(receive("EX01", PermissionGroups=("ExchangeUsers",))), event(connector=OWN)),
        Remedy.NEEDS_A_PERSON,
        "not-dedicated",
    ),
    (
        "a connector that is not there any more",
        case(everyday(), event(connector=OWN)),
        Remedy.REMOVE_FROM_LIST,
        "connector-gone",
    ),
    (
        "a connector that only another server has",
        case(everyday(receive("EX02")), event(connector=OWN)),
        Remedy.NEEDS_A_PERSON,
        "connector-elsewhere",
    ),
    (
        "a connector that is off on every server: the half remedy",
        case(pair(Enabled=False), event(connector=OWN)),
        Remedy.REMOVE_FROM_LIST,
        "connector-off",
    ),
    (
        "a connector that is off on one server alone",
        case(everyday(receive("EX01", Enabled=False), receive("EX02")), event(connector=OWN)),
        Remedy.RETIRE_DEDICATED,
        "dedicated",
    ),
    (
        "two flows that look dedicated",
        case(
            everyday(
                receive("EX01"), receive("EX01", "Adatum", RemoteIPRanges=("198.51.100.0/24",))
            ),
            event(connector=OWN),
            event(connector=r"EX01\Adatum"),
        ),
        Remedy.NEEDS_A_PERSON,
        "several-flows",
    ),
    (
        "a hybrid connector that lets anonymous sessions in",
        case(
            everyday(frontend("EX01", Name="Inbound from Office 365")),
            event(connector=r"EX01\Inbound from Office 365"),
        ),
        Remedy.REMOVE_FROM_LIST,
        "never-touched",
    ),
    (
        "a hybrid connector that does not",
        case(
            everyday(receive("EX01", TlsDomainCapabilities=("mail.example:AcceptOorgProtocol",))),
            event(connector=OWN),
        ),
        Remedy.NEEDS_A_PERSON,
        "never-touched",
    ),
    (
        "setup's connector on a subscribed Edge",
        case(
            everyday(edge()),
            event(
                connector=r"EDGE01\Default internal receive connector EDGE01",
                server="EDGE01.contoso.example",
            ),
        ),
        Remedy.REMOVE_FROM_LIST,
        "edge-connector",
    ),
    (
        "an Edge's own connector",
        case(everyday(edge()), event(connector=r"EDGE01\From Fabrikam", server="EDGE01")),
        Remedy.NEEDS_A_PERSON,
        "edge-connector",
    ),
    (
        "our connector does not offer TLS",
        case(everyday(receive("EX01", AuthMechanism=())), event(11018, OWN)),
        Remedy.FIX_OUR_SIDE,
        "tls-not-offered",
    ),
    (
        "an 11012 from a connector that does not offer TLS any more",
        case(everyday(receive("EX01", AuthMechanism=("Integrated",))), event(connector=OWN)),
        Remedy.FIX_OUR_SIDE,
        "tls-not-offered",
    ),
    (
        "no certificate fits",
        case(
            everyday(),
            event(11018),
            others=(event(12014, DEFAULT, domain="", details=(("fqdn", "mail.contoso.com"),)),),
        ),
        Remedy.FIX_OUR_SIDE,
        "own-certificate",
    ),
    (
        "the certificate expired after the event",
        case(
            everyday(),
            event(),
            others=(
                event(12016, "", domain="", at=AT + timedelta(hours=1), details=(("fqdn", "m"),)),
            ),
        ),
        Remedy.FIX_OUR_SIDE,
        "own-certificate",
    ),
    (
        "the certificate expired long before the event",
        case(everyday(), event(), others=(event(12016, "", domain="", at=AT - timedelta(days=9)),)),
        Remedy.REMOVE_FROM_LIST,
        "serves-everybody",
    ),
    (
        "a certificate event of another server, and one of another connector",
        case(
            everyday(),
            event(),
            others=(
                event(12016, "", domain="", server="EX02"),
                event(12014, OWN, domain=""),
                event(12018, "", domain=""),
            ),
        ),
        Remedy.REMOVE_FROM_LIST,
        "serves-everybody",
    ),
    (
        "TLS that is offered by now",
        case(everyday(), event(11018)),
        Remedy.FIX_OUR_SIDE,
        "tls-offered-by-now",
    ),
    (
        "TLS was not offered where nothing is now",
        case(everyday(), event(11018, OWN)),
        Remedy.NEEDS_A_PERSON,
        "tls-connector-gone",
    ),
    (
        "Domain Security switched off on the connector",
        case(everyday(receive("EX01", DomainSecureEnabled=False)), event(11021, OWN)),
        Remedy.FIX_OUR_SIDE,
        "domain-secure-off",
    ),
    (
        "Domain Security switched off on a send connector",
        case(
            seen(
                config((), ("fabrikam.com",)),
                frontend("EX01"),
                send("To Fabrikam", "SMTP:fabrikam.com;1", DomainSecureEnabled=False),
            ),
            event(11021, r"EX01\To Fabrikam"),
        ),
        Remedy.FIX_OUR_SIDE,
        "domain-secure-off",
    ),
    (
        "Domain Security is on again",
        case(everyday(receive("EX01")), event(11021, OWN)),
        Remedy.NOTHING_TO_DO,
        "domain-secure-again",
    ),
    (
        "one name for both directions",
        case(everyday(receive("EX01"), send("From Fabrikam", "SMTP:x.com;1")), event(11021, OWN)),
        Remedy.NEEDS_A_PERSON,
        "domain-secure-side",
    ),
    (
        "an 11021 of a connector that is gone",
        case(everyday(), event(11021, OWN)),
        Remedy.NEEDS_A_PERSON,
        "domain-secure-gone",
    ),
    *(
        (
            f"the partner's certificate, {number}",
            case(everyday(), event(number, details=(("status", "0x800B0109"),))),
            Remedy.CONTACT_PARTNER,
            "partner-certificate",
        )
        for number in (11011, 11015, 11017)
    ),
    (
        "hybrid capabilities",
        case(everyday(), event(11022)),
        Remedy.NEEDS_A_PERSON,
        "hybrid-capabilities",
    ),
    *(
        (
            f"mail to the partner, {number}",
            case(
                seen(config((), ("fabrikam.com",)), INTERNET, frontend("EX01")),
                event(number, "To Fabrikam"),
            ),
            verdict,
            "send-refused",
        )
        for number, verdict in (
            (11013, Remedy.REMOVE_FROM_LIST),
            (11014, Remedy.REMOVE_FROM_LIST),
            (11019, Remedy.REMOVE_FROM_LIST),
            (11016, Remedy.CONTACT_PARTNER),
            (11020, Remedy.CONTACT_PARTNER),
        )
    ),
    (
        "mail to a partner that is off the send list by now",
        case(everyday(), event(11014, "To Fabrikam")),
        Remedy.NOTHING_TO_DO,
        "not-listed-send",
    ),
    (
        "a gateway in front",
        case(everyday(), event(), senders=refused("10.0.0.5", others=("adatum.com",))),
        Remedy.RELAY_IN_FRONT,
        "relay-in-front",
    ),
    (
        "a translated address",
        case(everyday(), event(), senders=refused("192.168.1.1"), known=KNOWN),
        Remedy.RELAY_IN_FRONT,
        "relay-in-front",
    ),
    (
        "the partner over a private line",
        case(everyday(), event(), senders=refused("10.9.0.1"), known=("10.9.0.0/24",)),
        Remedy.REMOVE_FROM_LIST,
        "serves-everybody",
    ),
    (
        "a forger",
        case(everyday(), event(), senders=refused("198.51.100.66"), known=KNOWN),
        Remedy.NEEDS_A_PERSON,
        "forged-sender",
    ),
    (
        "the partner and a stranger",
        case(everyday(), event(), senders=refused("203.0.113.9", "198.51.100.66"), known=KNOWN),
        Remedy.NEEDS_A_PERSON,
        "mixed-addresses",
    ),
    (
        "a stranger, while the partner's own mail comes in",
        case(everyday(), event(), senders=refused("198.51.100.66", accepted=("203.0.113.9",))),
        Remedy.NEEDS_A_PERSON,
        "accepted-elsewhere",
    ),
    (
        "one of the partner's servers, while another's mail comes in",
        case(
            everyday(),
            event(),
            senders=refused("203.0.113.9", accepted=("203.0.113.8",)),
            known=KNOWN,
        ),
        Remedy.REMOVE_FROM_LIST,
        "serves-everybody",
    ),
    (
        "an internal and a public address",
        case(everyday(), event(), senders=refused("10.0.0.5", "198.51.100.66")),
        Remedy.NEEDS_A_PERSON,
        "mixed-addresses",
    ),
    (
        "an address that many share",
        case(everyday(), event(), senders=refused("198.51.100.7", others=("adatum.com",))),
        Remedy.NEEDS_A_PERSON,
        "shared-address",
    ),
    (
        "the partner, by its known address",
        case(everyday(), event(), senders=refused("203.0.113.9"), known=KNOWN),
        Remedy.REMOVE_FROM_LIST,
        "serves-everybody",
    ),
    (
        "an address that nothing is known of",
        case(
            everyday(),
            event(),
            senders=refused("198.51.100.7"),
            hints=(Hint("198.51.100.0/24", "SPF"), Hint("198.51.100.7", "MX")),
        ),
        Remedy.REMOVE_FROM_LIST,
        "serves-everybody",
    ),
    (
        "what has to be known is not",
        case(seen(config(), frontend("EX01"), unknown=("ReceiveConnector",)), event()),
        Remedy.NEEDS_A_PERSON,
        "unknown-state",
    ),
)


@pytest.mark.parametrize(
    ("about", "verdict", "rule"), [row[1:] for row in ROWS], ids=[row[0] for row in ROWS]
)
def test_each_case_has_its_verdict_and_the_rule_that_decided(
    about: Case, verdict: Remedy, rule: str
) -> None:
    found = diagnose(about)
    assert (found.verdict, found.decided.rule) == (verdict, rule), [
        (f.rule, f.decides) for f in found.findings
    ]
    assert found.decided in found.findings
    assert all(finding.text and finding.mark for finding in found.findings)


def test_each_verdict_is_reached_by_some_row() -> None:
    assert {row[2] for row in ROWS} == set(Remedy)


def found_in(about: Case) -> set[str]:
    """Return the rules that found something in a case."""
    return set(rules_of(diagnose(about)))


ASIDE: Sequence[tuple[str, Case, str]] = (
    ("the entry as it stands", case(everyday(), event()), "listed"),
    (
        "the entry in other letters",
        case(everyday(listed=("Fabrikam.COM",)), event()),
        "listed-otherwise",
    ),
    (
        "the event's computer decides",
        case(pair(), event(connector=OWN)),
        "event-computer-decides",
    ),
    ("the list alone is not enough", case(pair(), event(connector=OWN)), "half-list"),
    ("the connector alone is not enough", case(pair(), event(connector=OWN)), "half-connector"),
    (
        "the connector was switched off since",
        case(pair(Enabled=False), event(connector=OWN)),
        "changed-since",
    ),
    (
        "Domain Security was switched off since",
        case(everyday(receive("EX01", DomainSecureEnabled=False)), event(connector=OWN)),
        "changed-since",
    ),
    (
        "TLS was switched off since",
        case(everyday(receive("EX01", AuthMechanism=())), event(connector=OWN)),
        "changed-since",
    ),
    ("who was refused is not known", case(everyday(), event()), "sender-unknown"),
    (
        "a log without a match",
        case(everyday(), event(), senders=Senders("fabrikam.com", gaps=("EX02: closed",))),
        "sender-unknown",
    ),
    (
        "a log of another time",
        case(
            everyday(), event(), senders=Senders("fabrikam.com", first=AT, last=AT, sources=("a",))
        ),
        "sender-unknown",
    ),
    (
        "the partner's own address",
        case(everyday(), event(), senders=refused("203.0.113.9"), known=KNOWN),
        "partner-known",
    ),
    (
        "an address that is not compared",
        case(everyday(), event(), senders=refused("203.0.113.9")),
        "sender-not-compared",
    ),
    (
        "a connector that logs nothing",
        case(everyday(receive("EX01", ProtocolLoggingLevel="None")), event(connector=OWN)),
        "logs-nothing",
    ),
    (
        "mail out that still demands TLS",
        case(
            seen(
                config(("fabrikam.com",), ("fabrikam.com",)),
                frontend("EX01"),
                send("To Fabrikam", "SMTP:fabrikam.com;1"),
            ),
            event(),
        ),
        "send-side",
    ),
    (
        "mail out that would wait",
        case(
            seen(
                config(("fabrikam.com",), ("fabrikam.com",)),
                frontend("EX01"),
                send("To Fabrikam", "SMTP:fabrikam.com;1", Enabled=False),
            ),
            event(),
        ),
        "send-stranded",
    ),
    (
        "a send connector that protects nothing",
        case(everyday(send("To Fabrikam", "SMTP:fabrikam.com;1")), event()),
        "send-connector-alone",
    ),
    ("an Edge that EdgeSync reaches", case(everyday(edge()), event()), "edge-subscribed"),
    (
        "an event that is incomplete beside one that is not",
        case(everyday(), event(), event(connector="", incomplete=("connector: it is not there",))),
        "incomplete-event",
    ),
    (
        "a hybrid event beside an 11012",
        case(everyday(), event(), event(11022)),
        "hybrid-capabilities",
    ),
    (
        "mail that goes out, beside mail that comes in",
        case(everyday(), event(), event(11014, "To Fabrikam")),
        "not-listed-send",
    ),
    (
        "a listed parent",
        case(everyday(listed=("com",)), event()),
        "not-listed",
    ),
)


@pytest.mark.parametrize(
    ("about", "rule"), [row[1:] for row in ASIDE], ids=[row[0] for row in ASIDE]
)
def test_what_does_not_decide_is_told_all_the_same(about: Case, rule: str) -> None:
    assert rule in found_in(about)


def test_the_finding_names_where_its_facts_come_from() -> None:
    about = case(pair(), event(connector=OWN), event(connector=DEFAULT, at=None))
    (dedicated,) = [f for f in diagnose(about).findings if f.rule == "dedicated"]
    assert "event 11012 on EX01.contoso.example at 2026-11-23 08:00:00 UTC" in dedicated.sources
    assert "Get-ReceiveConnector on dc01.contoso.example" in dedicated.sources
    assert {sign.subject for sign in dedicated.signs} == {OWN, r"EX02\From Fabrikam"}
    assert all(sign.holds for sign in dedicated.signs)


def test_each_refused_address_is_shown_with_what_is_known_and_what_is_only_hinted() -> None:
    about = case(
        everyday(),
        event(),
        senders=refused("198.51.100.7", "", others=("adatum.com",)),
        known=KNOWN,
        hints=(Hint("198.51.100.0/24", "SPF"),),
    )
    found = diagnose(about)
    assert found.verdict is Remedy.NEEDS_A_PERSON
    signs = [sign for f in found.findings for sign in f.signs if sign.property == "MAIL FROM"]
    assert [sign.subject for sign in signs] == ["an unreadable address", "198.51.100.7"]
    signs.reverse()
    assert "matches SPF, a hint only" in signs[0].value
    assert "also sends for adatum.com" in signs[0].value
    assert signs[0].holds is False
    assert found.refused == ("anna@fabrikam.com",)


def test_a_near_entry_is_named_when_the_domain_is_on_no_list() -> None:
    (near,) = diagnose(case(everyday(listed=("fabrikan.com",)), event())).findings[:1]
    assert "Did you mean fabrikan.com?" in near.text
    (parent,) = diagnose(
        Case("mail.fabrikam.com", everyday(), (event(domain="mail.fabrikam.com"),))
    ).findings[:1]
    assert "an entry covers no subdomains" in parent.text


def test_mail_that_only_goes_out_is_not_judged_by_the_other_list() -> None:
    about = case(
        seen(config((), ("fabrikam.com",)), frontend("EX01"), INTERNET), event(11014, "To Fabrikam")
    )
    found = diagnose(about)
    assert found.suggestion is not None
    assert found.suggestion.playbook == "remove-send-domain-security"
    assert "not-listed" not in rules_of(found)


def test_received_mail_that_is_settled_leaves_the_way_out_to_decide() -> None:
    facts = seen(config((), ("fabrikam.com",)), frontend("EX01"), INTERNET)
    found = diagnose(case(facts, event(), event(11014, "To Fabrikam")))
    assert (found.verdict, found.decided.rule) == (Remedy.REMOVE_FROM_LIST, "send-refused")


def test_commands_for_a_person_are_given_where_nothing_else_reaches() -> None:
    found = diagnose(
        case(everyday(edge()), event(connector=r"EDGE01\From Fabrikam", server="EDGE01"))
    )
    assert found.by_hand == (
        r"Get-ReceiveConnector -Identity 'EDGE01\From Fabrikam'",
        r"Set-ReceiveConnector -Identity 'EDGE01\From Fabrikam' -Enabled $false",
    )


def test_what_no_rule_decides_needs_a_person() -> None:
    found = diagnose(case(everyday(), event(12018, "mail.contoso.com")))
    assert (found.verdict, found.decided.rule) == (Remedy.NEEDS_A_PERSON, "undecided")
    assert found.decided in found.findings


def test_a_server_without_a_known_controller_is_not_invented() -> None:
    facts = Facts(everyday().known)
    (listed,) = [f for f in diagnose(case(facts, event())).findings if f.rule == "listed"]
    assert listed.sources == ("Get-TransportConfig",)


def test_a_diagnosis_asks_one_question_for_each_kind_of_object() -> None:
    kinds = [query.kind for query in queries()]
    assert len(kinds) == len(set(kinds)) == 4
