"""What the doctor is told: the rights playbooks need, the servers to see, where the store is."""

import os
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

from orchestrator.app.workplace import Workplace
from orchestrator.core.errors import StoreError
from orchestrator.core.inventory import Organization
from orchestrator.core.playbook import Playbook, Step
from orchestrator.credentials import backend, secret
from orchestrator.doctor import Check, Finding, Needed, State, examine, surroundings
from orchestrator.exchange.objects import (
    OBJECT_KINDS,
    RECEIVE_CONNECTOR,
    SEND_CONNECTOR,
    TRANSPORT_CONFIG,
)
from orchestrator.journal import open_store
from orchestrator.journal.directory import DATABASE
from orchestrator.loader.entry import SAMPLES
from orchestrator.steps import build_step
from orchestrator.steps.connectors import DedicatedReceiveConnectors, DedicatedSendConnector
from orchestrator.steps.domains import LISTS, DomainSecureList
from orchestrator.steps.property import Property
from orchestrator.steps.secured import AuthMechanism, DomainSecureEnabled


class Subject(NamedTuple):
    """What a finding is about: a server of an organization, or with empty names this machine."""

    organization: str = ""
    server: str = ""


def needed(playbooks: Iterable[Playbook]) -> tuple[Needed, ...]:
    """Return the cmdlets and parameters that *playbooks* may call, whatever their inputs."""
    found: dict[Needed, None] = {}
    for playbook in playbooks:
        samples = {each.name: SAMPLES[each.type] for each in playbook.inputs}
        for invocation in playbook.steps:
            step = build_step(invocation, samples)
            reads = (OBJECT_KINDS[query.kind].get for query in step.queries())
            found |= dict.fromkeys(Needed(get, ("DomainController",)) for get in reads)
            found |= dict.fromkeys(_writes(step))
    return tuple(found)


def _writes(step: Step) -> Iterator[Needed]:
    match step:
        case DomainSecureList():
            yield _set(TRANSPORT_CONFIG, LISTS[step.list])
        case DedicatedReceiveConnectors():
            yield _set(RECEIVE_CONNECTOR, "Enabled")
        case DedicatedSendConnector():
            yield _set(SEND_CONNECTOR, "Enabled")
        case AuthMechanism():
            yield _set(RECEIVE_CONNECTOR, "AuthMechanism")
        case DomainSecureEnabled():
            if step.receive_connector:
                yield _set(RECEIVE_CONNECTOR, "DomainSecureEnabled")
            if step.send_connector:
                yield _set(SEND_CONNECTOR, "DomainSecureEnabled")
        case Property():
            yield _set(step.object, OBJECT_KINDS[step.object].spelled(step.property))
        case _:
            yield from (_set(query.kind) for query in step.queries())


def _set(kind: str, *parameters: str) -> Needed:
    return Needed(OBJECT_KINDS[kind].set, (*parameters, "DomainController"))


def look_around(workplace: Workplace) -> Iterator[Finding]:
    """Yield what is found on this machine."""
    return surroundings(keyring=backend, store=lambda: _store(workplace))


def _store(workplace: Workplace) -> str:
    """Say in what state the store is. Raises StoreError; nothing is made, nothing is changed."""
    directory = Path(workplace.store_location)
    if (directory / DATABASE).exists():
        store = open_store(directory, now=workplace.clock, create=False)
        runs = len(store.streams("run/"))
        store.close()
        return f"the journal in {directory} can be read; runs in it: {runs}"
    above = next(each for each in (directory, *directory.absolute().parents) if each.exists())
    if not (above.is_dir() and os.access(above, os.W_OK)):
        raise StoreError(
            f"no journal can be made in {directory}", "Name another directory with --store."
        )
    return f"there is no journal in {directory} yet; the first run makes it"


def check_up(
    workplace: Workplace, organization: Organization, rights: tuple[Needed, ...]
) -> Iterator[tuple[Subject, Finding]]:
    """Yield what is found at each server of *organization*, as it is found.

    After a refused credential no further server is asked: that would lock the account out.
    """
    refused = ""
    for server in organization.servers:
        subject = Subject(organization.name, server.name)
        if refused:
            text = f"not looked at, because {refused} refused the credential"
            yield subject, Finding(Check.AUTHENTICATION, State.SKIPPED, text)
            continue
        fetch = secret(organization.credential, organization.user)
        for finding in examine(organization, server, workplace.connect, fetch, rights):
            yield subject, finding
            if finding.check is Check.AUTHENTICATION and finding.state is State.FAILED:
                refused = server.name
