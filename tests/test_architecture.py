"""The description of the house is true: every path it names exists, and every module is named."""

import re
from pathlib import Path

ROOT = Path(__file__).parent.parent
PAGE = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
NAMED = frozenset(re.findall(r"`([a-z_/-]+(?:/|\.py|\.yaml|\.toml))`", PAGE))


def test_every_path_on_the_page_exists() -> None:
    places = (ROOT, ROOT / "orchestrator")
    assert not [name for name in NAMED if not any((place / name).exists() for place in places)]


def test_every_module_is_on_the_page() -> None:
    package = ROOT / "orchestrator"
    modules = {path.relative_to(package).as_posix() for path in package.rglob("*.py")}
    named = NAMED | {name.removeprefix("orchestrator/") for name in NAMED}
    missing = {module for module in modules if not module.endswith("__init__.py")} - named
    assert not missing
