"""What in an organization contradicts itself, or would send a password in clear without saying so.

A new rule about a connection is a new row of ``_CONTRADICTIONS``.
"""

from collections.abc import Callable, Iterator
from typing import NamedTuple

from orchestrator.core.inventory import Auth, Encryption, Organization, Source


class Contradiction(NamedTuple):
    """Why an organization cannot be used as written, and the key by which to put it right."""

    key: str
    message: str
    advice: str


def contradictions(organization: Organization) -> Iterator[Contradiction]:
    """Return what cannot work in *organization*, or would leak, the gravest first."""
    for applies, contradiction in _CONTRADICTIONS:
        if applies(organization):
            yield contradiction


_CLEAR = "Set 'ssl: true'; only where anybody may read it, set 'allow_cleartext: true'."
_CONTRADICTIONS: tuple[tuple[Callable[[Organization], bool], Contradiction], ...] = (
    (
        lambda o: o.auth is Auth.BASIC and not o.ssl and not o.allow_cleartext,
        Contradiction("auth", "basic authentication sends the password in clear over http", _CLEAR),
    ),
    (
        lambda o: o.encryption is Encryption.NEVER and not o.ssl and not o.allow_cleartext,
        Contradiction(
            "encryption", "without encryption everything is sent in clear over http", _CLEAR
        ),
    ),
    (
        lambda o: o.encryption is Encryption.ALWAYS and o.ssl,
        Contradiction(
            "encryption",
            "'always' is for http; with 'ssl: true' TLS encrypts already",
            "Leave it at 'auto'.",
        ),
    ),
    (
        lambda o: o.encryption is Encryption.ALWAYS and o.auth is Auth.BASIC,
        Contradiction(
            "encryption", "basic authentication cannot encrypt messages", "Set 'ssl: true' instead."
        ),
    ),
    (
        lambda o: bool(o.ca_file) and not o.ssl,
        Contradiction("ca_file", "a CA is of no use without https", "Set 'ssl: true'."),
    ),
    (
        lambda o: o.credential.source is Source.KERBEROS and o.auth in {Auth.NTLM, Auth.BASIC},
        Contradiction(
            "credential",
            "a Kerberos ticket is of no use to ntlm and basic",
            "Name where the password is, as in 'keyring:NAME', or set 'auth: kerberos'.",
        ),
    ),
    (
        lambda o: o.credential.source is not Source.KERBEROS and not o.user,
        Contradiction(
            "user",
            "a password needs the account that it belongs to",
            r"Add it, as in 'user: CONTOSO\ops'; a Kerberos ticket ('credential: kerberos:') "
            "needs none.",
        ),
    ),
    (
        lambda o: o.winrm.auth is Auth.BASIC and not o.winrm.ssl and not o.winrm.allow_cleartext,
        Contradiction(
            "winrm", "basic authentication sends the password in clear over http", _CLEAR
        ),
    ),
    (
        lambda o: (
            o.winrm.encryption is Encryption.NEVER
            and not o.winrm.ssl
            and not o.winrm.allow_cleartext
        ),
        Contradiction("winrm", "without encryption everything is sent in clear over http", _CLEAR),
    ),
    (
        lambda o: o.winrm.credential.source is not Source.KERBEROS and not o.winrm.user,
        Contradiction(
            "winrm",
            "a password needs the account that it belongs to",
            r"Add it, as in 'user: CONTOSO\reader'.",
        ),
    ),
    (
        lambda o: o.timeouts.operation >= o.timeouts.pipeline,
        Contradiction(
            "timeouts",
            "'pipeline' has to be longer than 'operation', of which it has several",
            "The defaults are 120 and 20 seconds.",
        ),
    ),
)
