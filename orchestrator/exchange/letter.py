"""What a letter to a partner says: what was logged, what their server was told, what to mend.

A row of GROUNDS for each event that a partner can do something about. SMTP answers are [obs]; where
none is known for sure, none is quoted. A partner's MX is where it *receives*: nothing that it
offers there proves anything about the server that sends to us.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from orchestrator.core.errors import RefusedError, UsageError
from orchestrator.exchange.domains import parse_domain, to_ascii
from orchestrator.exchange.family import SECURITY_EVENTS, Side
from orchestrator.exchange.incident import Sighting

MX_PROVES_NOTHING = (
    "An MX host is where a domain receives its mail. What it offers there proves nothing about the "
    "server that sends, which is the one that was refused."
)


@dataclass(frozen=True, slots=True)
class Ground:
    """Why a partner is written to: *happened* to the mail, *answer* of ours, and what they mend.

    *answer* is empty where nobody knows it for sure, or where the partner's server sent none of
    its mail: the event is about mail from us.
    """

    happened: str
    asks: tuple[str, ...]
    answer: str = ""


_START_TLS = (
    "Let every server that sends mail to us start TLS (STARTTLS, RFC 3207) before MAIL FROM, with "
    "no exception for our domain, and with no device on the way that removes STARTTLS."
)
_CLIENT_CERTIFICATE = (
    "Let that server present its certificate as a TLS client. It has to be valid for client "
    "authentication, unexpired, and sent with its intermediate certificates."
)
_NAMES = "Let the certificate name the domain {domain} (as a DNS name among the subject's names)."
_CHAIN = (
    "Let the certificate come from a CA that we trust, with its whole chain sent, unexpired, and "
    "its revocation list reachable from outside."
)
_OFFER = "Let the servers that receive mail for {domain} offer STARTTLS."
_BOUNCED = (
    "Mail from your domain was refused at MAIL FROM: it has bounced, nothing waits in a queue with "
    "us, and its senders have to send it again."
)
_NOT_AUTHENTICATED = "Mail from your domain could not be authenticated, and was not taken."
_HELD = "Mail from us to your domain waits here and will be returned to its senders."

GROUNDS: Mapping[int, Ground] = {
    11011: Ground(_NOT_AUTHENTICATED, (_CHAIN, _CLIENT_CERTIFICATE, _NAMES)),
    # [obs] The answer to MAIL FROM; its words differ between versions and are not quoted.
    11012: Ground(_BOUNCED, (_START_TLS, _CLIENT_CERTIFICATE, _NAMES), "530 5.7.1"),
    11013: Ground(_HELD, (_OFFER, _CHAIN, _NAMES)),
    11014: Ground(_HELD, (_OFFER, _CHAIN, _NAMES)),
    11015: Ground(_NOT_AUTHENTICATED, (_NAMES, _CLIENT_CERTIFICATE)),
    11016: Ground(_HELD, (_NAMES,)),
    11017: Ground(_NOT_AUTHENTICATED, (_CLIENT_CERTIFICATE, _NAMES)),
    11019: Ground(_HELD, (_OFFER, _CHAIN)),
    11020: Ground(_HELD, (_CHAIN,)),
    # [obs] A temporary answer: the partner's server tries again until it gives up.
    11021: Ground(
        "Mail between us is deferred because of a setting on our side, not of one on yours. Your "
        "server tries again by itself; what it gives up on has to be sent again.",
        (
            "Keep every server that sends mail to us starting TLS, for the time after that.",
            _CLIENT_CERTIFICATE,
            _NAMES,
        ),
        "451 4.7.3",
    ),
}


def ground(event: int) -> Ground:
    """Return why a partner is written to about *event*.

    Raises RefusedError for an event that is ours to mend, UsageError for one of no family.
    """
    found = GROUNDS.get(event)
    if found is not None:
        return found
    if event in SECURITY_EVENTS:
        raise RefusedError(
            f"event {event} is nothing that a partner can mend: {SECURITY_EVENTS[event].meaning}",
            f"What helps: {SECURITY_EVENTS[event].remedy}.",
        )
    raise UsageError(f"event {event} is none of Domain Security", "11012 is the usual one.")


def asks(event: int, domain: str) -> tuple[str, ...]:
    """Return what has to be configured on the partner's side."""
    return tuple(text.format(domain=domain) for text in ground(event).asks)


def sightings_of(sightings: Sequence[Sighting], domain: str, event: int) -> tuple[Sighting, ...]:
    """Return the sightings that a letter about *event* and *domain* speaks of."""
    wanted = to_ascii(domain)
    return tuple(s for s in sightings if s.id == event and to_ascii(s.domain) == wanted)


_LOCAL_PART = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*")
_NUMBER = re.compile(r"\+?[0-9][0-9 ()./-]{4,38}")


def parse_address(text: str, what: str) -> str:
    """Return a plain mail address, its domain in ASCII. Raises UsageError. *what* names it."""
    local, at, domain = text.strip().rpartition("@")
    advice = "Write one address as in postmaster@fabrikam.com, without a name."
    if not at or len(local) > 64 or not _LOCAL_PART.fullmatch(local):
        shown = text[:80].encode("unicode_escape").decode("ascii")
        said = f"'{shown}' is no mail address" if text.strip() else "it is missing"
        raise UsageError(f"{what}: {said}", advice)
    try:
        return f"{local}@{parse_domain(domain)}"
    except UsageError as error:
        raise UsageError(f"{what}: {error.message}", advice) from error


def parse_telephone(text: str) -> str:
    """Return a telephone number that a stranger can call. Raises UsageError."""
    if _NUMBER.fullmatch(text.strip()):
        return text.strip()
    raise UsageError(
        "a letter needs a telephone number: the partner's answer by mail may be refused too",
        "Give one under which somebody answers, as in --telephone '+1 425 555 0100'.",
    )


def ensure_answerable(
    reply_to: str, domain: str, event: int, accepted: Sequence[str] | None
) -> str:
    """Return what is not known of the way back, or nothing. Raises RefusedError for none.

    *accepted* are the organization's accepted domains, None where they could not be read.
    """
    home = reply_to.rpartition("@")[2]
    if _covers(f"*.{to_ascii(domain)}", home):
        raise RefusedError(
            f"{reply_to} is an address of {domain} itself: nobody of ours would get the answer",
            "Give --reply-to a mailbox of yours that is not in this Exchange organization.",
        )
    if SECURITY_EVENTS[event].side is Side.SEND:
        return ""
    if accepted is None:
        return (
            f"It could not be read whether {home} is a domain of this organization. If it is, the "
            "partner's answer is refused like its other mail."
        )
    inside = next((name for name in accepted if _covers(name, home)), None)
    if inside is not None:
        raise RefusedError(
            f"{reply_to} is in this Exchange organization ({inside} is an accepted domain): the "
            f"partner's answer would be refused like its other mail",
            "Give --reply-to a mailbox that is elsewhere: at a provider, or another organization.",
        )
    return ""


def way_there(to: str, domain: str, event: int) -> str:
    """Return what may keep the letter itself from arriving, or nothing."""
    held = SECURITY_EVENTS[event].side is not Side.RECEIVE
    if held and to.rpartition("@")[2] == to_ascii(domain):
        return (
            f"Mail from here to {domain} is what waits: a letter through this organization waits "
            "with it. Give --to an address elsewhere, or send the .eml file by other means."
        )
    return ""


def _covers(accepted: str, domain: str) -> bool:
    """Say whether an accepted domain, which may begin with ``*.``, takes mail of *domain* [doc]."""
    name = to_ascii(accepted.strip())
    if name == "*":
        return True
    bare = name.removeprefix("*.")
    return domain == bare or (name != bare and domain.endswith("." + bare))
