"""A letter to a partner composed: what is known, asked and probed becomes its words."""

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, tzinfo
from pathlib import Path

from orchestrator.app.execution import new_batch
from orchestrator.app.workplace import Workplace
from orchestrator.core.errors import ConfigurationError, OrchestratorError
from orchestrator.core.facts import Query, Unknown
from orchestrator.core.inventory import Organization
from orchestrator.core.letter import Letter
from orchestrator.exchange.family import SECURITY_EVENTS
from orchestrator.exchange.incident import Sighting
from orchestrator.exchange.letter import (
    MX_PROVES_NOTHING,
    asks,
    ensure_answerable,
    ground,
    parse_address,
    parse_telephone,
    sightings_of,
    way_there,
)
from orchestrator.exchange.objects import ACCEPTED_DOMAIN
from orchestrator.postman.probe import Host, Probe
from orchestrator.render.letter import Words, default_template, fill

_TEMPLATE_BYTES = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Request:
    """What the operator wants written. *zone* None is that of this machine."""

    domain: str
    event: int
    to: str
    reply_to: str
    telephone: str
    sightings: tuple[Sighting, ...] = ()
    template: Path | None = None
    zone: tzinfo | None = None


@dataclass(frozen=True, slots=True)
class Composed:
    """A letter that nobody has yet, and what there is to say of it to the operator."""

    letter: Letter
    notes: tuple[str, ...]


def compose(
    workplace: Workplace,
    organization: Organization,
    request: Request,
    look: Callable[[str], Probe] | None = None,
) -> Composed:
    """Return the letter. Raises UsageError, RefusedError, ConfigurationError.

    *look* probes the partner's MX hosts. Exchange is asked for its accepted domains alone.
    """
    ground(request.event)
    reply_to = parse_address(request.reply_to, "--reply-to")
    to = parse_address(request.to, "--to")
    telephone = parse_telephone(request.telephone)
    ensure_answerable(reply_to, request.domain, request.event, ())
    template, file = _template(request.template)
    accepted = accepted_domains(workplace, organization)
    doubt = ensure_answerable(reply_to, request.domain, request.event, accepted)
    sender = organization.smtp.sender if organization.smtp else reply_to
    made = workplace.clock().replace(microsecond=0)
    probed = look(request.domain) if look else None
    words = fill(
        template, _variables(organization, request, (reply_to, telephone), made, probed), file
    )
    letter = _letter(workplace, organization, request, words, (sender, to, reply_to, telephone))
    return Composed(
        letter,
        tuple(
            note
            for note in (doubt, way_there(to, request.domain, request.event), *_notes(request))
            if note
        ),
    )


def _letter(
    workplace: Workplace,
    organization: Organization,
    request: Request,
    words: Words,
    addresses: tuple[str, str, str, str],
) -> Letter:
    sender, to, reply_to, telephone = addresses
    batch = new_batch(workplace)
    return Letter(
        id=f"{batch}/{organization.name}",
        organization=organization.name,
        domain=request.domain,
        event=request.event,
        sender=parse_address(sender, "the sender"),
        to=to,
        reply_to=reply_to,
        telephone=telephone,
        subject=words.subject,
        body=words.body,
        message_id=f"<{batch}.{os.urandom(8).hex()}@{sender.rpartition('@')[2]}>",
        made=workplace.clock().replace(microsecond=0),
    )


def _notes(request: Request) -> Iterator[str]:
    if not sightings_of(request.sightings, request.domain, request.event):
        yield "The letter names no time: give --at, or --file with the exported events."


def _template(path: Path | None) -> tuple[str, str]:
    if path is None:
        return default_template(), ""
    try:
        with path.open("rb") as stream:
            return stream.read(_TEMPLATE_BYTES).decode("utf-8"), str(path)
    except OSError as error:
        raise ConfigurationError(
            f"the template cannot be read: {error.strerror}", "Is the name right?", file=str(path)
        ) from error
    except UnicodeDecodeError as error:
        raise ConfigurationError(
            "the template is no UTF-8 text", "Save it as UTF-8.", file=str(path)
        ) from error


def accepted_domains(workplace: Workplace, organization: Organization) -> tuple[str, ...] | None:
    """Return the organization's accepted domains; None where they cannot be read."""
    session = workplace.session(organization)
    try:
        session.pin()
        facts = session.ask((Query(ACCEPTED_DOMAIN, ("DomainName",)),))
    except OrchestratorError:
        return None
    finally:
        session.close()
    seen = facts.known.get(ACCEPTED_DOMAIN, Unknown("it was not asked for"))
    if isinstance(seen, Unknown):
        return None
    names = tuple(str(each.properties.get("DomainName") or "") for each in seen)
    return names if names and all(names) else None


def _variables(
    organization: Organization,
    request: Request,
    answer_to: tuple[str, str],
    made: datetime,
    probed: Probe | None,
) -> dict[str, object]:
    kind, why = SECURITY_EVENTS[request.event], ground(request.event)
    seen = sightings_of(request.sightings, request.domain, request.event)
    return {
        "organization": organization.title or organization.name,
        "domain": request.domain,
        "event": request.event,
        "event_name": kind.name,
        "side": kind.side.value,
        "meaning": kind.meaning,
        "happened": why.happened,
        "answer": why.answer,
        "asks": asks(request.event, request.domain),
        "sightings": [_sighting(each, request.zone) for each in seen],
        "reply_to": answer_to[0],
        "telephone": answer_to[1],
        "made": f"{made:%Y-%m-%d %H:%M:%S} UTC",
        "probe": _probe_words(probed, made) if probed else None,
    }


def _sighting(seen: Sighting, zone: tzinfo | None) -> dict[str, object]:
    return {
        "server": seen.server,
        "connector": seen.connector,
        "count": seen.count,
        "first_utc": _utc(seen.first),
        "first_local": _local(seen.first, zone),
        "last_utc": _utc(seen.last),
        "last_local": _local(seen.last, zone),
    }


def _utc(at: datetime | None) -> str:
    return f"{at:%Y-%m-%d %H:%M:%S} UTC" if at else "at a time that is not known"


def _local(at: datetime | None, zone: tzinfo | None) -> str:
    return f"{at.astimezone(zone):%Y-%m-%d %H:%M:%S %Z, UTC%z}" if at else ""


def _probe_words(probed: Probe, made: datetime) -> dict[str, object]:
    lines = [probed.problem] if probed.problem else [_host(each) for each in probed.hosts]
    if probed.left:
        lines.append(f"({probed.left} more were not looked at)")
    return {
        "at": f"{made:%Y-%m-%d %H:%M:%S} UTC",
        "lines": lines,
        "caution": MX_PROVES_NOTHING,
    }


def _host(host: Host) -> str:
    offers = {True: "offers STARTTLS", False: "offers no STARTTLS", None: ""}[host.starttls]
    said = [part for part in (offers, host.version, host.problem) if part]
    if host.certificate is not None:
        names = ", ".join(host.certificate.names[:10]) or "no name"
        said.append(f"certificate for {names}, until {host.certificate.expires:%Y-%m-%d}")
        distrust = host.certificate.distrust
        said.append(f"not trusted here ({distrust})" if distrust else "trusted here")
    return f"{host.name}: {'; '.join(said)}"
