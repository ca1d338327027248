"""Being let in: the credential, the authentication, the shell by its name, the session."""

from collections.abc import Iterator

from orchestrator.core.command import Record, command
from orchestrator.core.errors import (
    ConfigurationError,
    CredentialError,
    NotExchange,
    NotLetIn,
    TransportError,
)
from orchestrator.doctor.finding import Check, Finding, State
from orchestrator.doctor.patient import Patient, said
from orchestrator.doctor.web import SERVES
from orchestrator.exchange.objects import read

SHELL = "Microsoft.Exchange"
_VERSION = "AdminDisplayVersion"


def unlock(patient: Patient) -> Iterator[Finding]:
    """Fetch the secret, and forget it."""
    credential = patient.organization.credential
    try:
        ticket = patient.secret() is None
    except CredentialError as error:
        yield Finding(Check.CREDENTIAL, State.FAILED, error.message, error.advice)
        return
    user = patient.organization.user or "whoever runs this"
    what = f"the ticket of {user} is used" if ticket else f"{credential} has a password for {user}"
    yield Finding(Check.CREDENTIAL, State.OK, what)


def enter(patient: Patient) -> Iterator[Finding]:
    """Open a session: one attempt, because several with a wrong password lock an account out."""
    try:
        patient.transport = patient.connect(patient.organization, patient.server)
    except NotLetIn as error:
        advice = " ".join(part for part in (_mismatch(patient), error.advice) if part)
        yield Finding(Check.AUTHENTICATION, State.FAILED, said(error), advice)
    except NotExchange as error:
        yield from _stranger(patient, error)
    except TransportError as error:
        yield Finding(Check.SESSION, State.FAILED, said(error), error.advice)
    except (CredentialError, ConfigurationError) as error:
        yield Finding(Check.SESSION, State.FAILED, error.message, error.advice)
    else:
        organization = patient.organization
        user = organization.user or "the ticket's owner"
        yield Finding(Check.AUTHENTICATION, State.OK, f"{user} is let in by {organization.auth}")
        yield Finding(Check.SHELL, State.OK, f"{SHELL} is offered at {patient.url}")
        yield Finding(Check.SESSION, State.OK, _session(patient))


def _mismatch(patient: Patient) -> str:
    """Say so if the server offered only other ways to authenticate than ours."""
    auth, offered = patient.organization.auth, patient.offered
    if not offered or not SERVES[auth].isdisjoint(offered):
        return ""
    return f"The server offers {', '.join(offered)}; the inventory says 'auth: {auth}'."


def _stranger(patient: Patient, error: NotExchange) -> Iterator[Finding]:
    """Tell a WinRM that knows no Exchange shell from what is no WinRM at all."""
    from pypsrp.exceptions import WSManFaultError  # noqa: PLC0415 - heavy

    if isinstance(error.__cause__, WSManFaultError):
        auth = patient.organization.auth
        yield Finding(Check.AUTHENTICATION, State.OK, f"let in by {auth}, as a fault came back")
        text = f"plain WinRM answers at {patient.url}, without the shell {SHELL}: {said(error)}"
    else:
        text = said(error)
    yield Finding(Check.SHELL, State.FAILED, text, error.advice)


def _session(patient: Patient) -> str:
    """Say where the session is, and which version of Exchange runs there, if that can be seen."""
    properties = ("Name", "Fqdn", _VERSION)
    result = patient.ask(command("Get-ExchangeServer"), properties)
    host = patient.server.name.partition(".")[0].casefold()
    for record in result.output:
        if isinstance(record, Record):
            name, _, version = (
                read("text", record.properties.get(each), each) or "" for each in properties
            )
            if str(name).casefold() == host and version:
                return f"open on {patient.server.name}, Exchange {version}"
    return f"open on {patient.server.name}; which Exchange runs there is not known from here"
