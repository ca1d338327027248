"""``python -m orchestrator.lab``: a lab in a process of its own, until its standard input ends."""

import argparse
import json
import signal
import sys
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import asdict
from typing import get_args

from orchestrator.core.errors import ConfigurationError
from orchestrator.lab.faults import live, read
from orchestrator.lab.gate import Scheme
from orchestrator.lab.laboratory import Lab, Options
from orchestrator.lab.scenario import load_scenario


def main(arguments: Sequence[str] | None = None) -> int:
    """Serve a scenario; print one JSON line when ready, and one for each line that is read."""
    parser = _parser()
    given = parser.parse_args(arguments)
    unknown = set(given.auth.split(",")) - set(get_args(Scheme))
    if unknown:
        parser.error(f"unknown authentication: {', '.join(sorted(unknown))}")
    options = Options(
        port=given.port,
        auth=tuple(given.auth.split(",")),
        https=given.https,
        delay=given.delay,
        organizations=given.organizations,
    )
    try:
        lab = Lab(load_scenario(given.scenario), options=options)
    except ConfigurationError as error:
        print(f"{error}\n{error.advice}", file=sys.stderr)  # noqa: T201 - a program's answer
        return 2
    signal.signal(signal.SIGTERM, _interrupt)
    with suppress(KeyboardInterrupt), lab:
        _say(_ready(lab))
        for line in sys.stdin:
            _obey(lab, line.strip())
    return 0


def _obey(lab: Lab, line: str) -> None:
    """Do what a line says: ``stats``, ``{"fault": {...}}``, or ``{"faults": [...]}`` for all."""
    if line == "stats":
        _say(_stats(lab))
    elif line:
        try:
            _switch(lab, json.loads(line))
        except (ValueError, ConfigurationError) as error:
            _say({"error": str(error)})
        else:
            _say({"faults": len(lab.faults)})


def _switch(lab: Lab, order: object) -> None:
    match order:
        case {"fault": row, **more} if not more:
            lab.faults.append(live(read(row)))
        case {"faults": list(rows), **more} if not more:
            lab.faults[:] = [live(read(row)) for row in rows]
        case _:
            raise ConfigurationError('not an order: {"fault": {...}} or {"faults": [...]} is one')


def _interrupt(*_: object) -> None:
    raise KeyboardInterrupt


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m orchestrator.lab", description=__doc__)
    parser.add_argument("scenario", help="a scenario's name, or a file")
    parser.add_argument("--port", type=int, default=0, help="the first server's port")
    parser.add_argument("--auth", default="negotiate,ntlm,basic", help="what the servers accept")
    parser.add_argument("--https", action="store_true", help="listen with TLS too")
    parser.add_argument("--delay", type=float, default=0.0, help="seconds for each HTTP request")
    parser.add_argument("--organizations", type=int, default=1, help="copies of one server each")
    return parser


def _say(facts: object) -> None:
    print(json.dumps(facts), flush=True)  # noqa: T201 - a program's answer


def _ready(lab: Lab) -> dict[str, object]:
    return {
        "servers": [asdict(server) for server in lab.servers],
        "users": [user.name for user in lab.scenario.users],
        "inventory": lab.inventory_text(),
        "ca_file": str(lab.ca_file) if lab.ca_file else None,
    }


def _stats(lab: Lab) -> dict[str, object]:
    return {
        "requests": lab.requests.total,
        "by_action": dict(lab.requests.by_action),
        "effective_writes": sum(entry.effective for entry in lab.audit()),
        "open_shells": lab.open_shells,
        "open_pipelines": lab.open_pipelines,
        "cpu_seconds": time.process_time(),
    }


if __name__ == "__main__":
    sys.exit(main())
