"""The other side: labs in a process of its own, one after the other, each as fresh as the first.

``python -m bench.place`` reads one JSON object per line: ``{"scenario", "delay", "organizations",
"auth"}`` replaces the lab by a new one and is answered with how to reach it; ``{}`` is answered
with what that lab has counted since, and the process's CPU seconds.
"""

import json
import sys
import time
from contextlib import ExitStack
from typing import Any

from orchestrator.lab import Lab
from orchestrator.lab.laboratory import Options


def main() -> None:
    """Serve until the standard input ends."""
    with ExitStack() as stack:
        lab: Lab | None = None
        for line in sys.stdin:
            asked = json.loads(line)
            if asked:
                stack.close()
                options = Options(delay=asked["delay"], organizations=asked["organizations"])
                lab = stack.enter_context(Lab(asked["scenario"], options=options))
                _say(_opened(lab, asked["auth"]))
            elif lab is not None:
                _say(_counted(lab))


def _opened(lab: Lab, auth: str) -> dict[str, Any]:
    organization = lab.organization
    return {
        "inventory": lab.inventory_text(auth=auth),
        "ports": [server.port for server in lab.servers],
        "user": f"{lab.scenario.netbios}\\{lab.scenario.users[0].name}",
        "controller": organization.home(next(iter(organization.servers))),
        "cpu": time.process_time(),
    }


def _counted(lab: Lab) -> dict[str, Any]:
    return {
        "requests": lab.requests.total,
        "writes": sum(entry.effective for entry in lab.audit()),
        "open": lab.open_shells,
        "cpu": time.process_time(),
    }


def _say(facts: dict[str, Any]) -> None:
    print(json.dumps(facts), flush=True)


if __name__ == "__main__":
    main()
