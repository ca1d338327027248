"""A running realm, and a lab in it that takes Kerberos only, as Exchange does."""

from collections.abc import Iterator

import pytest

from orchestrator.lab import Lab, Options
from orchestrator.lab.realm import Realm, missing_packages


@pytest.fixture(scope="session")
def realm() -> Iterator[Realm]:
    """Start a realm; without its programs these tests cannot say anything."""
    pytest.importorskip("krb5", reason="pip install 'orchestrator[kerberos]'")
    if missing_packages():
        pytest.skip(f"apt-get install {' '.join(missing_packages())}")
    with Realm() as running:
        yield running


@pytest.fixture
def lab(realm: Realm, monkeypatch: pytest.MonkeyPatch) -> Iterator[Lab]:
    """A lab that accepts Kerberos only, in the realm's environment."""
    for name, value in realm.environment.items():
        monkeypatch.setenv(name, value)
    with Lab("default", options=Options(auth=("kerberos",), https=True)) as running:
        yield running
