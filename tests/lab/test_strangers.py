"""What no client of ours sends: broken requests, other people's requests."""

import http.client
from base64 import b64encode

import pytest
import yaml

from orchestrator.lab import PASSWORD, Lab
from tests.lab.conftest import Start

BASIC = "Basic " + b64encode(f"CONTOSO\\ops:{PASSWORD}".encode()).decode()
SOAP = (
    '<s:Envelope xmlns:s="http://www.w3.org/2003/05/soap-envelope" '
    'xmlns:a="http://schemas.xmlsoap.org/ws/2004/08/addressing">'
    "<s:Header><a:Action>{action}</a:Action></s:Header><s:Body/></s:Envelope>"
)


def post(lab: Lab, body: str, **headers: str) -> tuple[int, str]:
    """Send a request by hand."""
    connection = http.client.HTTPConnection("127.0.0.1", lab.servers[0].port)
    connection.request("POST", "/PowerShell", body, {"Authorization": BASIC, **headers})
    response = connection.getresponse()
    text = response.read().decode()
    connection.close()
    return response.status, text


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ("<not xml", "2150858792"),
        ("<nothing/>", "2150858792"),
        (SOAP.format(action="http://x/Enumerate"), "2150858817"),
        (SOAP.format(action="http://x/Receive"), "2150858843"),
        (SOAP.format(action="http://x/Create"), "2150858811"),
    ],
)
def test_a_broken_request_is_a_fault(lab: Lab, body: str, code: str) -> None:
    status, text = post(lab, body)
    assert status == 500
    assert f'Code="{code}"' in text


@pytest.mark.parametrize(
    "authorization", ["", "Basic !", "Basic eDp5", "Negotiate !", "NTLM AAAA", "Digest x"]
)
def test_whoever_does_not_say_who_they_are_is_asked(lab: Lab, authorization: str) -> None:
    assert post(lab, "<x/>", Authorization=authorization)[0] == 401


def test_a_sealed_body_without_a_seal_is_a_bad_request(lab: Lab) -> None:
    sealed = 'multipart/encrypted;protocol="application/HTTP-SPNEGO-session-encrypted"'
    assert post(lab, "x", **{"Content-Type": sealed})[0] == 400


def test_what_is_no_http_at_all_is_hung_up_on(lab: Lab) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", lab.servers[0].port)
    connection.connect()
    connection.sock.sendall(b"\x16\x03\x01 nonsense\r\n\r\n")
    assert connection.sock.recv(1) == b""
    connection.close()
    assert post(lab, "<x/>")[0] == 500


def test_the_inventory_says_how_to_get_in(start: Start) -> None:
    lab = start(https=True)
    plain = yaml.safe_load(lab.inventory_text(auth="basic", encryption="never", user="ops"))
    sealed = yaml.safe_load(lab.inventory_text(auth="basic", ssl=True))
    first = plain["organizations"]["contoso"]
    assert first["servers"][0] == {
        "name": "ex01.contoso.example",
        "address": "127.0.0.1",
        "port": lab.servers[0].port,
    }
    assert first["allow_cleartext"] is True
    assert (first["user"], first["auth"]) == ("ops", "basic")
    other = sealed["organizations"]["contoso"]
    assert "allow_cleartext" not in other
    assert other["servers"][0]["port"] == lab.servers[0].https_port
    assert PASSWORD not in lab.inventory_text()


def test_a_lab_starts_and_stops_more_than_once_and_frees_its_ports(start: Start) -> None:
    lab = start()
    port = lab.servers[0].port
    lab.stop()
    lab.stop()
    again = start(port=port)
    assert [server.port for server in again.servers] == [port, port + 1]


def test_a_port_that_is_taken_is_an_error_and_nothing_stays(start: Start) -> None:
    taken = start().servers[0].port
    with pytest.raises(OSError, match=str(taken)):
        start(port=taken)
