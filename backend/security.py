"""Who may talk to the server: one ASGI middleware in front of everything, so that no route can be forgotten.

In this order, whatever the path and the method:

1. Host must be a name of this machine (DNS rebinding makes a foreign page talk to us under its own name).
2. Origin, where one is sent, must equal Host; so must what the browser says in Sec-Fetch-Site about an API call.
   Requests of other pages are refused, WebSockets included; there is no CORS.
3. The token: `Authorization: Bearer`, or the cookie that `/?token=...` sets. Only the health check and the
   built page's assets, which hold nothing of the user, are served without one.

NON-GOALS: users and rights. Whoever has the token may do everything.
"""

from __future__ import annotations

import hashlib
import hmac
import ipaddress
from collections.abc import Collection
from dataclasses import dataclass
from urllib.parse import parse_qsl, quote, urlencode, urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import cookie_parser
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from backend.api.problems import problem_response
from backend.pages import TOKEN_PAGE

API_PREFIX = "/api/"
PUBLIC_PATHS = frozenset({"/api/v1/health", "/favicon.ico", "/favicon.svg"})
PUBLIC_PREFIX = "/assets/"
CLOSE_NO_TOKEN = 4401

SECURITY_HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data: blob:; "
        "font-src 'self'; connect-src 'self'; worker-src 'self'; manifest-src 'self'; form-action 'self'; "
        "base-uri 'none'; frame-ancestors 'none'"
    ),  # the charts set inline styles
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
}


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a request goes no further."""

    status: int
    title: str
    detail: str


class Guard:
    """Let through what is ours; answer the rest itself.

    Args:
        app: what is guarded.
        token: the secret; must not be empty.
        allowed_hosts: further names under which the server is reached, "name" (any port) or "name:port".
    """

    def __init__(self, app: ASGIApp, token: str, allowed_hosts: Collection[str] = ()) -> None:
        if not token:
            raise ValueError("token must not be empty")
        self._app = app
        self._token = token.encode()
        self._cookie = hmac.digest(self._token, b"cookie", hashlib.sha256).hex()
        self._allowed_hosts = frozenset(host.lower() for host in allowed_hosts)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in ("http", "websocket"):
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        refusal = self._check_names(scope, headers)
        if scope["type"] == "websocket":
            await self._guard_socket(scope, receive, send, headers, refusal)
            return
        send = _with_security_headers(send, is_api=scope["path"].startswith(API_PREFIX))
        response = self._answer(scope, headers, refusal)
        await (response or self._app)(scope, receive, send)

    async def _guard_socket(
        self, scope: Scope, receive: Receive, send: Send, headers: Headers, refusal: Refusal | None
    ) -> None:
        if refusal:
            await receive()
            await send({"type": "websocket.close", "code": 1008, "reason": refusal.title})  # HTTP 403: no handshake
        elif self._has_token(scope, headers):
            await self._app(scope, receive, send)
        else:
            await receive()
            await send({"type": "websocket.accept"})  # a browser is told the code only of an open socket
            await send({"type": "websocket.close", "code": CLOSE_NO_TOKEN, "reason": "the token is missing or wrong"})

    def _answer(self, scope: Scope, headers: Headers, refusal: Refusal | None) -> Response | None:
        """Give what is answered in the application's place, or None."""
        path, is_read = scope["path"], scope["method"] in ("GET", "HEAD")
        if refusal:
            return problem_response(refusal.status, refusal.detail, title=refusal.title)
        if is_read and (path in PUBLIC_PATHS or path.startswith(PUBLIC_PREFIX)):
            return None
        if is_read and not path.startswith(API_PREFIX):
            login = self._login(scope, headers)
            if login:
                return login
        if self._has_token(scope, headers):
            return None
        if is_read and not path.startswith(API_PREFIX):
            return HTMLResponse(TOKEN_PAGE, 401, {"Cache-Control": "no-store"})
        detail = "The token that the server printed is missing or wrong: send it as `Authorization: Bearer TOKEN`."
        return problem_response(401, detail, headers={"WWW-Authenticate": "Bearer"})

    def _login(self, scope: Scope, headers: Headers) -> Response | None:
        """Turn the token of `/?token=...` into a cookie, and lead to the same page without it."""
        query = parse_qsl(scope["query_string"].decode("latin-1"), keep_blank_values=True)
        tokens = [value for name, value in query if name == "token"]
        if not tokens or not all(self._is_token(token) for token in tokens):
            return None
        rest = urlencode([(name, value) for name, value in query if name != "token"])
        path = "/" + quote(scope["path"].lstrip("/\\"))  # never "//other.host"
        response = RedirectResponse(f"{path}?{rest}" if rest else path, 303, {"Cache-Control": "no-store"})
        response.set_cookie(
            cookie_name(headers["host"]),
            self._cookie,
            path="/",
            httponly=True,
            samesite="strict",
            secure=scope.get("scheme") == "https",
        )
        return response

    def _has_token(self, scope: Scope, headers: Headers) -> bool:
        kind, _, value = headers.get("authorization", "").partition(" ")
        if kind:
            return kind.lower() == "bearer" and self._is_token(value.strip())
        cookies = cookie_parser("; ".join(headers.getlist("cookie")))
        return _is_same(cookies.get(cookie_name(headers["host"]), ""), self._cookie.encode())

    def _is_token(self, value: str) -> bool:
        return _is_same(value, self._token)

    def _check_names(self, scope: Scope, headers: Headers) -> Refusal | None:
        hosts, origins = headers.getlist("host"), headers.getlist("origin")
        if len(hosts) != 1 or not self._is_our_name(hosts[0], scope):
            shown = ", ".join(hosts) or "nothing"
            detail = f"Host must be a name of this server, got {shown!r}; allow others with --allow-host."
            return Refusal(421, "Misdirected Request", detail)
        for origin in origins:
            if not _is_same_origin(origin, hosts[0]):
                detail = f"Origin must equal Host, got {origin!r}: only this server's own pages may talk to it."
                return Refusal(403, "Foreign Origin", detail)
        site = headers.get("sec-fetch-site", "none")
        if site not in ("same-origin", "none") and scope["path"].startswith(API_PREFIX):
            return Refusal(403, "Foreign Origin", f"Sec-Fetch-Site must be same-origin for the API, got {site!r}.")
        return None

    def _is_our_name(self, host: str, scope: Scope) -> bool:
        name, port = split_host(host)
        if name is None:
            return False
        if name in self._allowed_hosts or f"{name}:{port}" in self._allowed_hosts:
            return True
        server = scope.get("server") or ("", None)
        own_port = server[1] or _default_port(scope)
        if (port or _default_port(scope)) != own_port:
            return False
        if name == "localhost":
            return True
        try:
            address = ipaddress.ip_address(name.strip("[]"))
        except ValueError:
            return False
        return address.is_loopback or str(address) == server[0]  # a bare address cannot be rebound


def cookie_name(host: str) -> str:
    """Name the cookie after the port: browsers share cookies between the ports of one host."""
    _, port = split_host(host)
    return f"foresync_token_{port}" if port else "foresync_token"


def split_host(host: str) -> tuple[str | None, int | None]:
    """Split a Host header into a lower-case name (IPv6 in brackets) and its port; (None, None) if it is not one."""
    try:
        parts = urlsplit(f"//{host}")
        name, port = parts.hostname, parts.port
    except ValueError:
        return None, None
    if not name or parts.netloc != host or "@" in host or host != host.strip() or parts.path:
        return None, None
    return (f"[{name}]" if ":" in name else name), port


def _is_same(value: str, secret: bytes) -> bool:
    """Compare in a time that does not tell how much is right."""
    return hmac.compare_digest(value.encode("utf-8", "surrogateescape"), secret)


def _is_same_origin(origin: str, host: str) -> bool:
    scheme, separator, authority = origin.partition("://")
    return bool(separator) and scheme.lower() in ("http", "https") and authority.lower() == host.lower()


def _default_port(scope: Scope) -> int:
    return 443 if scope.get("scheme") in ("https", "wss") else 80


def _with_security_headers(send: Send, *, is_api: bool) -> Send:
    async def send_guarded(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(scope=message)
            for name, value in SECURITY_HEADERS.items():
                headers.setdefault(name, value)
            if is_api:
                headers.setdefault("Cache-Control", "no-store")
        await send(message)

    return send_guarded
