"""The kinds of object the lab knows.

To add a property: one row in its kind. To add a kind: one ``Kind`` here, and its cmdlets.
"""

from collections.abc import Mapping

from orchestrator.lab.connectors import RECEIVE_CONNECTOR, SEND_CONNECTOR
from orchestrator.lab.kind import Kind
from orchestrator.lab.settings import (
    ACCEPTED_DOMAIN,
    EDGE_SUBSCRIPTION,
    EXCHANGE_SERVER,
    ORGANIZATION,
    TRANSPORT_CONFIG,
)

KINDS: Mapping[str, Kind] = {
    kind.name: kind
    for kind in (
        RECEIVE_CONNECTOR,
        SEND_CONNECTOR,
        TRANSPORT_CONFIG,
        EXCHANGE_SERVER,
        ORGANIZATION,
        ACCEPTED_DOMAIN,
        EDGE_SUBSCRIPTION,
    )
}
