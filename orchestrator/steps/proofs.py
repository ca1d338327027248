"""What ``verify`` may ask for: that a change is not only written, but does what it is for."""

from orchestrator.core.command import Plain


class ReadBack(Plain, frozen=True):
    """Every change is read back from the pinned domain controller, as it always is."""


class EveryController(Plain, frozen=True):
    """Each server's own domain controller has the change; what is down is named, not awaited."""


class AuditLog(Plain, frozen=True):
    """The admin audit log has our commands, and no other change of the same property since."""


class AcceptedMessage(Plain, frozen=True):
    """A protocol log shows that a message of the partner was accepted: the only positive proof."""


class NoEvents(Plain, frozen=True):
    """No event says that the partner's mail is turned away, for long enough that it would.

    Without any mail there are no events either: that is told apart.
    """


class ConfigReloaded(Plain, frozen=True):
    """The transport services say that they took their new configuration: it supports the rest."""
