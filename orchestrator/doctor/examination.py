"""The examination of one server, from its name to its rights, in the order of need."""

from collections.abc import Callable, Generator, Iterator, Sequence
from typing import Final

from orchestrator.core.errors import TransportError
from orchestrator.core.inventory import Organization, Server
from orchestrator.doctor.admission import enter, unlock
from orchestrator.doctor.finding import Check, Connect, Finding, Needed, State
from orchestrator.doctor.network import knock, resolve, shake
from orchestrator.doctor.patient import Patient, said
from orchestrator.doctor.reading import consult, locate, weigh
from orchestrator.doctor.web import greet

_STEPS: Final[tuple[tuple[Check, Callable[[Patient], Iterator[Finding]]], ...]] = (
    (Check.NAME, resolve),
    (Check.TCP, knock),
    (Check.TLS, shake),
    (Check.HTTP, greet),
    (Check.CREDENTIAL, unlock),
    (Check.SESSION, enter),
    (Check.CONTROLLER, locate),
    (Check.RIGHTS, weigh),
    (Check.READS, consult),
)
_NEEDED_BY_NONE: Final = frozenset({Check.CONTROLLER, Check.RIGHTS, Check.READS})


def examine(
    organization: Organization,
    server: Server,
    open_session: Connect,
    secret: Callable[[], str | None],
    rights: Sequence[Needed] = (),
) -> Generator[Finding, None, None]:
    """Yield what is found at *server*, as it is found; nothing is changed anywhere.

    Each check that applies yields something: after one that the later ones need has failed, those
    are skipped and say why. *open_session* is called at most once; so whoever examines several
    servers with one account should stop at the first ``authentication`` that failed, before the
    account is locked out. *secret* is called to see whether it can be had. The session is released
    when the generator ends or is closed.
    """
    patient = Patient(organization, server, open_session, secret, tuple(rights))
    made: set[Check] = set()
    failed: Check | None = None
    try:
        for finding in _found(patient):
            made.add(finding.check)
            if failed is None and finding.state is State.FAILED:
                failed = finding.check
            yield finding
    finally:
        patient.close()
    for check in _applicable(patient):
        if check not in made:
            yield Finding(check, State.SKIPPED, f"not looked at, because '{failed}' failed")


def _found(patient: Patient) -> Iterator[Finding]:
    for check, look in _STEPS:
        failed = False
        try:
            for finding in look(patient):
                failed |= finding.state is State.FAILED
                yield finding
        except TransportError as error:
            yield Finding(check, State.FAILED, said(error), error.advice)
            return
        if failed and check not in _NEEDED_BY_NONE:
            return


def _applicable(patient: Patient) -> Iterator[Check]:
    """Yield the checks that make sense for the way in which the server is to be reached."""
    without = set()
    if not patient.organization.ssl:
        without.add(Check.TLS)
    if not patient.rights:
        without.add(Check.RIGHTS)
    first = list(Check).index(Check.NAME)
    return (check for check in list(Check)[first:] if check not in without)
