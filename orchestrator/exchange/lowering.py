"""Any other change of a connector, beside the two lists: what it no longer protects, or lets in."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from orchestrator.core.facts import Facts, Observation, Query
from orchestrator.core.playbook import Concern, Consequence, Sign, Verdict
from orchestrator.core.setting import Flags, Scalar, Setting
from orchestrator.exchange.connectors import accepts_anonymous, shown
from orchestrator.exchange.objects import RECEIVE_CONNECTOR, SEND_CONNECTOR
from orchestrator.exchange.protection import disables

_LOWERING_VALUES: Mapping[tuple[str, bool | int | str | None], str] = {
    ("DomainSecureEnabled", False): (
        "mutual TLS is no longer asked for; for listed domains the mail is deferred instead (451, "
        "event 11021): this is not a remedy"
    ),
    ("RequireTLS", False): "mail may come and go without TLS",
    ("IgnoreSTARTTLS", True): "TLS is not used even where it is offered",
    ("SuppressXAnonymousTls", True): "servers of the organization talk to each other without TLS",
}

_LEVELS = ("", "encryptiononly", "certificatevalidation", "domainvalidation")
"""TlsAuthLevel of a send connector, from nothing up [doc]."""


_VALIDATED = ("Enabled", "AuthMechanism", "DomainSecureEnabled")
"""Whoever sets one of these has the whole connector validated: Enabled [obs], the others [inf]."""

_WITHOUT = {
    RECEIVE_CONNECTOR: "mail that came in through it no longer has to prove who it is from",
    SEND_CONNECTOR: "mail that went out through it no longer demands mutual TLS",
}


@dataclass(frozen=True, slots=True)
class Lowering:
    """Any other change of a connector that takes protection away, or brings a connector back."""

    def queries(self) -> tuple[Query, ...]:
        """Ask for nothing beyond the touched property."""
        return ()

    def judge(self, setting: Setting, now: Facts, after: Facts) -> Sequence[Verdict]:
        """Say what is no longer protected."""
        del after
        connector = now.one(setting.ref)
        text = ""
        if disables(setting) and connector.get("DomainSecureEnabled") is True:
            text = _WITHOUT[setting.ref.kind]
        elif isinstance(setting, Scalar):
            text = _LOWERING_VALUES.get((setting.property, setting.value), "")
            text = text or _checked_less(setting, connector)
        elif isinstance(setting, Flags):
            text = _lost(setting, connector)
        verdicts = [_lowers(setting, text)] if text else []
        return [*verdicts, *_shut_out(setting, connector), *_validation(setting, connector)]


def _lowers(setting: Setting, text: str) -> Consequence:
    return Consequence("lowering", Concern.SECURITY, f"{setting.ref.label}: {text}.")


def _checked_less(setting: Scalar, connector: Observation) -> str:
    had, has = connector.text("TlsAuthLevel").lower(), str(setting.value or "").lower()
    if setting.property != "TlsAuthLevel" or not {had, has}.issubset(_LEVELS):
        return ""
    less = _LEVELS.index(has) < _LEVELS.index(had)
    return "the other side's certificate is looked at less closely" if less else ""


def _lost(setting: Flags, connector: Observation) -> str:
    had, has = _folded(connector.members(setting.property)), _folded(setting.flags)
    if setting.property == "AuthMechanism" and "tls" in had - has:
        return "TLS is no longer offered"
    if setting.property == "PermissionGroups" and "anonymoususers" in has - had:
        return "anonymous senders are let in"
    return ""


def _shut_out(setting: Setting, connector: Observation) -> list[Consequence]:
    if setting.property != "PermissionGroups" or not isinstance(setting, Flags):
        return []
    if not accepts_anonymous(connector) or "anonymoususers" in _folded(setting.flags):
        return []
    text = f"{setting.ref.label} turns away everybody who does not authenticate."
    return [Consequence("shut-out", Concern.MAIL_FLOW, text)]


def _folded(flags: Sequence[str]) -> set[str]:
    return {flag.lower() for flag in flags}


def _validation(setting: Setting, connector: Observation) -> list[Consequence]:
    if setting.property not in _VALIDATED:
        return []
    broken = connector.get("IsValid") is False
    evidence = (Sign(connector.ref.label, "IsValid", shown(connector, "IsValid"), holds=False),)
    return [
        Consequence(
            "re-validation",
            Concern.UNKNOWN,
            f"Setting {setting.property} makes Exchange validate the whole connector again: this, "
            "or its undo, may fail for a reason that has nothing to do with it (a binding, a "
            "certificate).",
            evidence if broken else (),
        )
    ]
