"""The failures of comparable systems, replayed against us: every route, every method, every way round.

Ray: job API without a token, DNS rebinding, a forgotten DELETE (CVE-2023-48022, CVE-2025-62593, CVE-2026-27482).
MLflow: paths that lead out of a folder, in every spelling (CVE-2023-1177 to CVE-2024-2928). Aim, Dask: other pages
that may ask, and WebSockets that ask nobody (CORS `*`, origin `*`).
"""

from __future__ import annotations

import asyncio
import http.client
import json
import socket
from pathlib import Path
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.types import Message, Receive, Scope, Send
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import connect

from backend.api import schemas
from backend.security import PUBLIC_PATHS, PUBLIC_PREFIX, SECURITY_HEADERS, Guard
from tests.api.server import TOKEN, Server, check_model

METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "PROPFIND")
DOCUMENT = json.loads((Path(__file__).parent.parent.parent / "frontend" / "openapi.json").read_text())
ID = "0123456789abcdef"
API_PATHS = [path.replace("{run_id}", ID).replace("{experiment_id}", ID) for path in DOCUMENT["paths"]]
PATHS = [
    *API_PATHS,
    f"/api/v1/runs/{ID}/live",
    "/api/v1/openapi.json",
    "/api/v1/nothing",
    "/api/",
    "/",
    "/runs",
    "/nothing",
]
HEALTH = "/api/v1/health"


def ask(
    server: Server, method: str, path: str, headers: dict[str, str] | None = None
) -> tuple[int, dict[str, str], bytes]:
    """Send a request exactly as it is written: no client of ours tidies up path or headers."""
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=30)
    sent = {"Host": f"127.0.0.1:{server.port}", **(headers or {})}
    connection.putrequest(method, path, skip_host=True, skip_accept_encoding=True)
    for name, value in sent.items():
        connection.putheader(name, value)
    connection.endheaders()
    answer = connection.getresponse()
    body = answer.read()
    connection.close()
    return answer.status, {name.lower(): value for name, value in answer.getheaders()}, body


def bearer(token: str = TOKEN) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


# ---- the token -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", PATHS)
def test_without_the_token_no_route_and_no_method_answers(quiet_server: Server, path: str) -> None:
    wrong = [{}, bearer(""), bearer("x"), bearer(TOKEN[:-1]), bearer(TOKEN + "x"), bearer(TOKEN.upper()), bearer("é")]
    wrong += [{"Authorization": TOKEN}, {"Authorization": f"Basic {TOKEN}"}, {"Cookie": f"foresync_token={TOKEN}"}]
    wrong += [{"Cookie": f"foresync_token_{quiet_server.port}={TOKEN}"}]  # the cookie is not the token
    for method in METHODS:
        for headers in wrong if method in ("GET", "DELETE") else wrong[:2]:
            status, answered, _ = ask(quiet_server, method, path, headers)
            is_public = path == HEALTH and method in ("GET", "HEAD")
            assert status == (200 if is_public and method == "GET" else 405 if is_public else 401), (method, headers)
            assert answered["content-security-policy"] == SECURITY_HEADERS["Content-Security-Policy"]


def test_the_token_is_no_parameter_of_the_api(quiet_server: Server) -> None:
    for path in (f"/api/v1/runs?token={TOKEN}", f"/api/v1/queue?token={TOKEN}"):
        status, headers, _ = ask(quiet_server, "GET", path)
        assert status == 401
        assert "set-cookie" not in headers


def test_the_token_of_the_url_becomes_a_cookie(quiet_server: Server) -> None:
    status, headers, body = ask(quiet_server, "GET", f"/runs/{ID}?token={TOKEN}&tab=log")
    assert (status, headers["location"], body) == (303, f"/runs/{ID}?tab=log", b"")
    cookie, *attributes = [part.strip() for part in headers["set-cookie"].split(";")]
    assert {attribute.lower() for attribute in attributes} >= {"httponly", "samesite=strict", "path=/"}
    assert TOKEN not in cookie
    assert ask(quiet_server, "GET", "/api/v1/runs", {"Cookie": cookie})[0] == 200
    assert ask(quiet_server, "GET", "/api/v1/runs", {"Cookie": f"a=b; {cookie}; c=d"})[0] == 200
    assert ask(quiet_server, "GET", "/api/v1/runs", {"Cookie": cookie[:-1]})[0] == 401


def test_a_wrong_token_in_the_url_shows_where_the_right_one_is(quiet_server: Server) -> None:
    for query in ("?token=wrong", "?token=", f"?token=wrong&token={TOKEN}", ""):
        status, headers, body = ask(quiet_server, "GET", f"/{query}")
        assert status == 401
        assert "set-cookie" not in headers
        assert b"foresync serve" in body
        assert b"<script" not in body
        assert b"http" not in body.replace(b'http-equiv="', b"")  # it loads nothing from anywhere


@pytest.mark.parametrize(
    "path", ["//evil.example/", "/\\evil.example", "///evil.example/%2f..", "/%5cevil.example", "/%0d%0aX:y"]
)
def test_the_redirect_stays_here(quiet_server: Server, path: str) -> None:
    status, headers, _ = ask(quiet_server, "GET", f"{path}?token={TOKEN}")
    assert status == 303
    assert httpx.URL("http://here.example/").join(headers["location"]).host == "here.example"
    assert "x" not in headers


# ---- names: Host and Origin ------------------------------------------------------------------------------

FOREIGN_HOSTS = [
    "evil.example",
    "evil.example:{port}",
    "localhost.evil.example:{port}",
    "127.0.0.1.evil.example:{port}",
    "localhost:{port}@evil.example",
    "evil.example/localhost:{port}",
    "localhost",
    "localhost:1",
    "localhost:{port}:{port}",
    "localhost:port",
    "10.0.0.1:{port}",
    "0.0.0.0:{port}",
    "[::2]:{port}",
    "2130706433.example:{port}",
    "lab.example.evil:1",
    "proxy.example:1",
    "",
]


@pytest.mark.parametrize("host", FOREIGN_HOSTS)
def test_a_foreign_host_is_refused_although_it_has_the_token(quiet_server: Server, host: str) -> None:
    for method in METHODS:
        for path in ("/", HEALTH, "/assets/x.js", "/api/v1/runs", f"/api/v1/runs/{ID}", "/nothing"):
            headers = {**bearer(), "Host": host.format(port=quiet_server.port)}
            assert ask(quiet_server, method, path, headers)[0] in (400, 421), (method, path)


@pytest.mark.parametrize(
    "host",
    [
        "localhost:{port}",
        "LOCALHOST:{port}",
        "127.0.0.1:{port}",
        "127.1.2.3:{port}",
        "[::1]:{port}",
        "lab.example",
        "lab.example:1",
        "proxy.example:8443",
        "Lab.Example:{port}",
    ],
)
def test_our_names_are_accepted(quiet_server: Server, host: str) -> None:
    host = host.format(port=quiet_server.port)
    assert ask(quiet_server, "GET", "/api/v1/runs", {**bearer(), "Host": host})[0] == 200
    assert ask(quiet_server, "GET", "/api/v1/runs", {**bearer(), "Host": host, "Origin": f"http://{host}"})[0] == 200


def test_a_request_names_one_host(quiet_server: Server) -> None:
    ours = f"Host: 127.0.0.1:{quiet_server.port}\r\n"
    for hosts in ("", ours + "Host: evil.example\r\n", "Host: evil.example\r\n" + ours):
        with socket.create_connection(("127.0.0.1", quiet_server.port)) as plain:
            plain.sendall(f"GET /api/v1/runs HTTP/1.1\r\n{hosts}Authorization: Bearer {TOKEN}\r\n\r\n".encode())
            assert plain.recv(4096).split()[1] in (b"400", b"421")


ORIGINS = [
    "http://evil.example",
    "null",
    "",
    "http://localhost:1",
    "http://localhost",
    "file://",
    "https://127.0.0.1.evil.example",
]


@pytest.mark.parametrize("origin", ORIGINS)
def test_other_pages_may_not_ask(quiet_server: Server, origin: str) -> None:
    for method in METHODS:
        for path in ("/", HEALTH, "/api/v1/runs", f"/api/v1/runs/{ID}"):
            status, headers, _ = ask(quiet_server, method, path, {**bearer(), "Origin": origin})
            assert status == 403, (method, path)
            assert not [name for name in headers if name.startswith("access-control-")]


def test_a_page_on_another_port_of_this_host_may_not_ask(quiet_server: Server) -> None:
    """Its requests carry our cookie, since browsers tell sites apart without the port, and a GET has no Origin."""
    for site in ("cross-site", "same-site"):
        assert ask(quiet_server, "GET", "/api/v1/runs", {**bearer(), "Sec-Fetch-Site": site})[0] == 403
    for site in ("same-origin", "none"):
        assert ask(quiet_server, "GET", "/api/v1/runs", {**bearer(), "Sec-Fetch-Site": site})[0] == 200
    assert ask(quiet_server, "GET", f"/?token={TOKEN}", {"Sec-Fetch-Site": "cross-site"})[0] == 303  # a link in a mail


def test_nobody_is_told_that_he_may_ask_from_elsewhere(quiet_server: Server) -> None:
    asked = {"Access-Control-Request-Method": "DELETE", "Access-Control-Request-Headers": "authorization"}
    for headers in (asked, {**asked, **bearer()}, {**asked, **bearer(), "Origin": "http://evil.example"}):
        status, answered, _ = ask(quiet_server, "OPTIONS", f"/api/v1/runs/{ID}", headers)
        assert status in (401, 403, 405)
        assert not [name for name in answered if name.startswith("access-control-")]


# ---- WebSockets ------------------------------------------------------------------------------------------


def close_code(server: Server, headers: dict[str, str], path: str = f"/api/v1/runs/{ID}/live") -> int | None:
    url = f"ws://127.0.0.1:{server.port}{path}"
    with (
        connect(url, additional_headers=headers, compression=None) as socket_,
        pytest.raises(ConnectionClosed) as closed,
    ):
        socket_.recv(timeout=30)
    return closed.value.rcvd.code if closed.value.rcvd else None


def test_a_socket_needs_the_token(quiet_server: Server) -> None:
    for headers in ({}, bearer("wrong"), {"Cookie": f"foresync_token_{quiet_server.port}=wrong"}):
        assert close_code(quiet_server, headers) == 4401
        assert close_code(quiet_server, headers, "/api/v1/nothing") == 4401
        assert close_code(quiet_server, headers, f"/api/v1/runs/{ID}/live?token={TOKEN}") == 4401
    assert close_code(quiet_server, bearer()) == 4404
    own = f"http://127.0.0.1:{quiet_server.port}"
    _, answered, _ = ask(quiet_server, "GET", f"/?token={TOKEN}")
    cookie = answered["set-cookie"].partition(";")[0]
    assert close_code(quiet_server, {"Cookie": cookie, "Origin": own}) == 4404


@pytest.mark.parametrize("headers", [{"Origin": origin} for origin in ORIGINS] + [{"Host": "evil.example"}])
def test_a_socket_of_another_page_is_refused_before_it_opens(quiet_server: Server, headers: dict[str, str]) -> None:
    with pytest.raises(InvalidStatus) as refused:
        close_code(quiet_server, {**bearer(), **headers})
    assert refused.value.response.status_code == 403


# ---- paths -----------------------------------------------------------------------------------------------

OUT = [
    "/../../../etc/passwd",
    "/assets/../../../../../etc/passwd",
    "/assets/..%2f..%2f..%2f..%2fetc%2fpasswd",
    "/assets/%2e%2e/%2e%2e/%2e%2e/etc/passwd",
    "/assets/%252e%252e%252f%252e%252e%252fetc%252fpasswd",
    "/assets/..;/..;/etc/passwd",
    "/assets/;/../app.py",
    "/assets/#/../app.py",
    "/assets/%23/../app.py",
    "/assets/x?/../app.py",
    "/assets/..\\..\\app.py",
    "/assets/..%5c..%5capp.py",
    "/assets//etc/passwd",
    "//etc/passwd",
    "/%2fetc/passwd",
    "/assets/file:///etc/passwd",
    "/assets/%00",
    "/assets/passwd%00.js",
    "/assets/%c0%ae%c0%ae/app.py",
    "/assets/.",
    "/assets/",
    "/assets",
    "/index.html/..",
    "/.git/config",
    "/api/../assets/x",
    "/api/v1/runs/../../../etc/passwd",
    "/api/v1/runs/%2e%2e/%2e%2e/token/log",
    "/api/v1/runs/..%2f..%2ftoken/log",
    "/api/v1/runs/%252e%252e%252ftoken/log",
    "/api/v1/runs/..;/token",
    f"/api/v1/runs/{ID}%2f..%2f..%2ftoken/log",
    f"/api/v1/runs/{ID}/log%00",
    f"/api/v1/runs/{ID}/..%2flog",
]


@pytest.mark.parametrize("path", OUT)
def test_no_spelling_of_a_path_leads_out(quiet_server: Server, path: str) -> None:
    for method in ("GET", "HEAD", "DELETE"):
        status, headers, body = ask(quiet_server, method, path, bearer())
        assert status in (400, 404, 405), body
        assert b"root:" not in body
        assert TOKEN.encode() not in body
        if body:
            assert headers["content-type"] in ("application/problem+json", "text/plain; charset=utf-8")


# ---- answers ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "path", ["/", "/runs", "/nothing", "/api/v1/runs", "/api/v1/nothing", HEALTH, "/assets/none.js"]
)
def test_every_answer_tells_the_browser_what_is_allowed(quiet_server: Server, path: str) -> None:
    for headers in (bearer(), {}, {**bearer(), "Host": "evil.example"}):
        _, answered, _ = ask(quiet_server, "GET", path, headers)
        assert {name: answered.get(name.lower()) for name in SECURITY_HEADERS} == SECURITY_HEADERS
        assert "server" not in answered
        assert not path.startswith("/api") or answered["cache-control"] == "no-store"
    policy = SECURITY_HEADERS["Content-Security-Policy"]
    assert "frame-ancestors 'none'" in policy
    assert "*" not in policy
    assert "http" not in policy


def test_a_method_that_a_route_does_not_have_is_a_problem(quiet_server: Server) -> None:
    for path in API_PATHS:
        for method in METHODS:
            status, _, body = ask(quiet_server, method, path, bearer())
            assert status != 500
            if status >= 400 and method != "HEAD":
                check_model(schemas.Problem, json.loads(body))
    assert ask(quiet_server, "PUT", "/api/v1/queue", bearer())[1]["allow"] == "GET"


# ---- the guard alone -------------------------------------------------------------------------------------


def guarded(scope: dict[str, Any]) -> tuple[bool, int]:
    """Send a request through a guard; tell whether what is behind it was asked, and the status."""
    asked: list[str] = []
    sent: list[Message] = []

    async def inner(_: Scope, __: Receive, send: Send) -> None:
        asked.append(scope["path"])
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b""})

    async def receive() -> Message:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: Message) -> None:
        sent.append(message)

    asyncio.run(Guard(inner, TOKEN)(scope, receive, send))
    return bool(asked), sent[0]["status"]


HEADER_NAMES = st.sampled_from(["authorization", "cookie", "origin", "host", "sec-fetch-site", "x-forwarded-host"])
VALUES = st.one_of(
    st.text(max_size=30), st.sampled_from(["Bearer ", "foresync_token=", "localhost:8000", "http://localhost:8000"])
)


@given(
    method=st.one_of(st.sampled_from(METHODS), st.text(min_size=1, max_size=8)),
    path=st.one_of(st.sampled_from(PATHS), st.text(max_size=40).map(lambda text: f"/{text}")),
    query=st.one_of(st.just("token="), st.text(max_size=20)),
    headers=st.lists(st.tuples(HEADER_NAMES, VALUES), max_size=5),
)
def test_nothing_but_the_token_opens_the_guard(
    method: str, path: str, query: str, headers: list[tuple[str, str]]
) -> None:
    encoded = [(name.encode(), value.encode("utf-8", "surrogatepass")) for name, value in headers]
    scope = {
        "type": "http",
        "method": method,
        "path": path,
        "query_string": query.encode("utf-8", "surrogatepass"),
        "headers": [(b"host", b"localhost:8000"), *encoded],
        "server": ("127.0.0.1", 8000),
        "scheme": "http",
    }
    was_asked, status = guarded(scope)
    is_public = method in ("GET", "HEAD") and (path in PUBLIC_PATHS or path.startswith(PUBLIC_PREFIX))
    assert is_public or (not was_asked and status in (401, 403, 421))


def test_a_guard_without_a_token_is_refused() -> None:
    with pytest.raises(ValueError, match="token"):
        Guard(lambda *_: asyncio.sleep(0), "")
