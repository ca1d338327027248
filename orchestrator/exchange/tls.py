"""What TLS and Domain Security need of a connector, and what follows where either is turned on."""

from collections.abc import Sequence
from dataclasses import dataclass

from orchestrator.core.facts import Facts, Observation, Query
from orchestrator.core.playbook import Concern, Consequence, Refusal, Sign, Verdict
from orchestrator.core.setting import Flags, Scalar, Setting, same
from orchestrator.exchange.connectors import is_reserved, server_of, shown
from orchestrator.exchange.objects import RECEIVE_CONNECTOR, RECEIVE_LIST, SEND_CONNECTOR, SEND_LIST

_OWNERS = {
    RECEIVE_CONNECTOR: ("TlsDomainCapabilities",),
    SEND_CONNECTOR: ("CloudServicesMailEnabled",),
}
"""What tells, beside its name, that somebody else owns a connector [doc]."""


@dataclass(frozen=True, slots=True)
class OfferedTls:
    """A receive connector comes to offer TLS: who must use it then, and which certificate it has.

    A certificate is enabled for SMTP on the server, and fits the connector's TlsCertificateName,
    or its Fqdn where it has none [doc]. Nothing of that can be read from the connector.
    """

    def queries(self) -> tuple[Query, ...]:
        """Ask for what a certificate has to fit, and who has to use TLS."""
        asked = ("Server", "AuthMechanism", "RequireTLS", "Fqdn", "TlsCertificateName")
        return (Query(RECEIVE_CONNECTOR, (*asked, *_OWNERS[RECEIVE_CONNECTOR])),)

    def judge(self, setting: Setting, now: Facts, after: Facts) -> Sequence[Verdict]:
        """Say what offering TLS changes, and what it cannot give; refuse what others own."""
        if setting.property != "AuthMechanism" or not isinstance(setting, Flags):
            return ()
        if _has_tls(now.one(setting.ref)) or not any(same(flag, "Tls") for flag in setting.flags):
            return ()
        connector = after.one(setting.ref)
        return (*_owned(connector), _offered(connector), _certified(connector))


def _has_tls(connector: Observation) -> bool:
    return any(same(flag, "Tls") for flag in connector.members("AuthMechanism"))


def _offered(connector: Observation) -> Consequence:
    required = connector.get("RequireTLS") is True
    others = (
        "RequireTLS is on there: whoever does not start it is refused."
        if required
        else "RequireTLS is off there: whoever does not start it is let in as before, except for "
        f"domains on {RECEIVE_LIST}, which are refused without mutual TLS (530 5.7.1, event 11012)."
    )
    return Consequence(
        "tls-offered",
        Concern.MAIL_FLOW,
        f"{connector.ref.label} offers STARTTLS to everybody whose mail it takes. {others}",
        (Sign(connector.ref.label, "RequireTLS", shown(connector, "RequireTLS")),),
    )


def _certified(connector: Observation) -> Consequence:
    name = "TlsCertificateName" if connector.text("TlsCertificateName") else "Fqdn"
    fitting = f" that fits {connector.text(name)}" if connector.text(name) else ""
    server = server_of(connector).upper() or "the server"
    return Consequence(
        "tls-offered",
        Concern.UNKNOWN,
        f"Whether {server} has a certificate for SMTP{fitting}. Without one (event 12014), or "
        "with one that has expired (12016), TLS is still not offered, and event 11018 comes back: "
        f"look with Get-ExchangeCertificate -Server {server}.",
        (Sign(connector.ref.label, name, shown(connector, name)),),
    )


@dataclass(frozen=True, slots=True)
class DomainSecured:
    """A connector comes to take part in Domain Security: what it needs, and what is refused then.

    Receiving takes AuthMechanism with Tls and without ExternalAuthoritative; sending takes
    DNSRoutingEnabled, and IgnoreSTARTTLS off [doc].
    """

    def queries(self) -> tuple[Query, ...]:
        """Ask for what Domain Security needs of either kind of connector."""
        both = ("Enabled", "DomainSecureEnabled")
        receive = (*both, "AuthMechanism", *_OWNERS[RECEIVE_CONNECTOR])
        send = (*both, "DNSRoutingEnabled", "IgnoreSTARTTLS", *_OWNERS[SEND_CONNECTOR])
        return (Query(RECEIVE_CONNECTOR, receive), Query(SEND_CONNECTOR, send))

    def judge(self, setting: Setting, now: Facts, after: Facts) -> Sequence[Verdict]:
        """Say that what was deferred now bounces; refuse where mutual TLS could never succeed."""
        del now
        on = isinstance(setting, Scalar) and setting.value is True
        if setting.property != "DomainSecureEnabled" or not on:
            return ()
        connector = after.one(setting.ref)
        receive = setting.ref.kind == RECEIVE_CONNECTOR
        follows = _bounces(connector) if receive else _demands(connector)
        needs = _receiving(connector) if receive else _sending(connector)
        return (*_owned(connector), *_lacking(connector, needs), follows)


def _receiving(connector: Observation) -> dict[str, bool]:
    trusts = any(same(f, "ExternalAuthoritative") for f in connector.members("AuthMechanism"))
    return {"AuthMechanism": _has_tls(connector) and not trusts}


def _sending(connector: Observation) -> dict[str, bool]:
    return {
        "DNSRoutingEnabled": connector.get("DNSRoutingEnabled") is True,
        "IgnoreSTARTTLS": connector.get("IgnoreSTARTTLS") is not True,
    }


def _lacking(connector: Observation, needs: dict[str, bool]) -> list[Refusal]:
    lacking = [name for name, given in needs.items() if not given]
    if not lacking:
        return []
    way_out = (
        "Run 'offer-tls' with the same connector first; ExternalAuthoritative excludes it."
        if connector.ref.kind == RECEIVE_CONNECTOR
        else "Domain Security sends by DNS, with STARTTLS. Where that cannot be, take the domain "
        "off the list: 'orchestrator run remove-send-domain-security'."
    )
    return [
        Refusal(
            "domain-secure",
            f"{connector.ref.label} cannot do mutual TLS, by its {', '.join(lacking)}",
            way_out,
            tuple(
                Sign(connector.ref.label, name, shown(connector, name), holds=given)
                for name, given in needs.items()
            ),
        )
    ]


def _bounces(connector: Observation) -> Consequence:
    return Consequence(
        "domain-secure",
        Concern.MAIL_FLOW,
        f"At {connector.ref.label} mail from every domain on {RECEIVE_LIST} that does not come "
        "with mutual TLS was deferred so far (451, the partner's server tries again); now it is "
        "refused for good (530 5.7.1, event 11012) and bounces.",
    )


def _demands(connector: Observation) -> Consequence:
    return Consequence(
        "domain-secure",
        Concern.OUTBOUND,
        f"Mail to every domain on {SEND_LIST} that lies in the queue of {connector.ref.label} is "
        "tried again, with mutual TLS; where the partner cannot do that, it stays there and is "
        "returned after two days (events 11013, 11014, 11016, 11019, 11020).",
    )


def _owned(connector: Observation) -> list[Refusal]:
    if not is_reserved(connector):
        return []
    names = ("Name", *_OWNERS[connector.ref.kind])
    return [
        Refusal(
            "reserved-connector",
            f"{connector.ref.label} belongs to a hybrid configuration or to EdgeSync, which would "
            "undo the change or rest on what it was",
            "Change it where it is made: with the Hybrid Configuration Wizard, or in the "
            "organization's own settings, which EdgeSync carries to the Edge.",
            tuple(Sign(connector.ref.label, name, shown(connector, name)) for name in names),
        )
    ]
