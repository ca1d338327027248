"""A throw-away Kerberos realm: a real MIT KDC as a plain process on a high port of loopback.

For tests and for trying Kerberos out; it needs MIT's server programs, which Windows does not have.
"""

import os
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Self

from orchestrator.core.errors import ConfigurationError
from orchestrator.lab.scenario import PASSWORD

PACKAGES: Mapping[str, str] = {
    "krb5kdc": "krb5-kdc",
    "kdb5_util": "krb5-kdc",
    "kadmin.local": "krb5-admin-server",
    "kinit": "krb5-user",
}
"""The programs a realm needs, and the Debian package that each comes with."""

_CLIENT = """\
[libdefaults]
  default_realm = {realm}
  dns_lookup_kdc = false
  dns_lookup_realm = false
  dns_canonicalize_hostname = false
  rdns = false
[realms]
  {realm} = {{
    kdc = 127.0.0.1:{port}
  }}
[domain_realm]
  .{domain} = {realm}
  localhost = {realm}
"""
_SERVER = """\
[kdcdefaults]
  kdc_listen = ""
  kdc_tcp_listen = 127.0.0.1:{port}
[realms]
  {realm} = {{
    database_name = {folder}/principal
    key_stash_file = {folder}/stash
    acl_file = {folder}/acl
  }}
"""


def missing_packages(programs: Mapping[str, str] = PACKAGES) -> tuple[str, ...]:
    """Return the Debian packages of those *programs* that are not installed."""
    return tuple(sorted({package for name, package in programs.items() if _find(name) is None}))


def _find(program: str) -> str | None:
    places = os.pathsep.join((os.environ.get("PATH", ""), "/usr/sbin", "/usr/local/sbin"))
    return shutil.which(program, path=places)


class Realm:
    """A realm with one service principal ``HTTP/<host>`` for each host, and one user.

    While it runs, *environment* is what client and server need: where the configuration is, the
    keytab of the services (``KRB5_KTNAME``), and a cache with the user's ticket (``KRB5CCNAME``).
    Nothing is put into this process' environment. Raises ConfigurationError where programs are
    missing, naming their packages.
    """

    def __init__(
        self,
        hosts: Iterable[str] = ("ex01.contoso.example", "ex02.contoso.example", "localhost"),
        *,
        domain: str = "contoso.example",
        user: str = "ops",
        password: str = PASSWORD,
    ) -> None:
        self.name = domain.upper()
        self.domain = domain
        self.user = user
        self.hosts = tuple(hosts)
        self.environment: Mapping[str, str] = {}
        self._password = password
        self._folder: tempfile.TemporaryDirectory[str] | None = None
        self._kdc: subprocess.Popen[str] | None = None

    def __enter__(self) -> Self:
        missing = missing_packages()
        if missing:
            raise ConfigurationError(
                f"a Kerberos realm needs programs that are not here: {', '.join(missing)}",
                f"On Debian or Ubuntu: apt-get install {' '.join(missing)}.",
            )
        self._folder = tempfile.TemporaryDirectory(prefix="orchestrator-realm-")
        try:
            self._begin(Path(self._folder.name))
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def keytab(self) -> Path:
        """The file with the services' keys."""
        return Path(self.environment["KRB5_KTNAME"].removeprefix("FILE:"))

    def close(self) -> None:
        """Stop the KDC and remove every file. May be called twice."""
        if self._kdc is not None:
            self._kdc.terminate()
            self._kdc.wait()
            if self._kdc.stdout is not None:
                self._kdc.stdout.close()
            self._kdc = None
        if self._folder is not None:
            self._folder.cleanup()
            self._folder = None

    def _begin(self, folder: Path) -> None:
        words = {"realm": self.name, "domain": self.domain, "port": _free_port(), "folder": folder}
        (folder / "krb5.conf").write_text(_CLIENT.format(**words), encoding="utf-8")
        (folder / "kdc.conf").write_text(_SERVER.format(**words), encoding="utf-8")
        self.environment = {
            "KRB5_CONFIG": str(folder / "krb5.conf"),
            "KRB5_KDC_PROFILE": str(folder / "kdc.conf"),
            "KRB5_KTNAME": f"FILE:{folder / 'services.keytab'}",
            "KRB5CCNAME": f"FILE:{folder / 'ticket'}",
        }
        self._run("kdb5_util", "create", "-s", "-P", self._password, "-r", self.name)
        self._administer(f"addprinc -pw {self._password} {self.user}")
        self._administer(f"ktadd -norandkey -k {folder / 'user.keytab'} {self.user}")
        for host in self.hosts:
            self._administer(f"addprinc -randkey HTTP/{host}")
            self._administer(f"ktadd -k {folder / 'services.keytab'} HTTP/{host}")
        self._serve()
        self._run("kinit", "-k", "-t", str(folder / "user.keytab"), self.user)

    def _serve(self) -> None:
        program = str(_find("krb5kdc"))
        self._kdc = subprocess.Popen(  # noqa: S603 - found on the search path, fixed arguments
            [program, "-n"],
            env={**os.environ, **self.environment},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        # It says so once it listens.
        line = self._kdc.stdout.readline() if self._kdc.stdout is not None else ""
        if "starting" not in line:
            raise ConfigurationError(f"the KDC did not start: {line.strip()}")

    def _administer(self, query: str) -> None:
        self._run("kadmin.local", "-r", self.name, "-q", query)

    def _run(self, program: str, *arguments: str) -> None:
        done = subprocess.run(  # noqa: S603 - found on the search path, arguments of our own
            [str(_find(program)), *arguments],
            env={**os.environ, **self.environment},
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            raise ConfigurationError(f"{program} failed: {done.stderr.strip()}")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
