"""What every answer of a class's routes has, and what is asked of every request, before anything else is done with it."""

import json
import math
from collections.abc import Awaitable, Callable, Mapping
from typing import Any
from urllib.parse import urlsplit

from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response

from capsviz.classroom.messages import parse_json
from capsviz.classroom.refusals import NoJson, NotAllowed, Refused, TooLarge
from capsviz.errors import CapsvizError
from capsviz.texts import languages, say, speak

Handler = Callable[[Request], Awaitable[Response]]
MOST_BODY = 4_096  # bytes of a body, but of a drawing's
POLICY = "; ".join(
    (
        "default-src 'none'",
        *(f"{kind}-src 'self'" for kind in ("script", "style", "img", "connect")),
        *(f"{what} 'none'" for what in ("base-uri", "form-action", "frame-ancestors")),
    )
)
HEADERS = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",  # for browsers that do not know frame-ancestors
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=()",
}
UNKEPT = {"Cache-Control": "no-store"}


def guarded(handler: Handler, address: str = "") -> Handler:
    """A handler that speaks the browser's language, refuses other sites, and answers a refusal with its sentence as JSON.

    Args:
        handler: may raise any ``CapsvizError``.
        address: at which the server is reached from outside, if it is known: pages from there are its own too.
    """

    async def guard(request: Request) -> Response:
        speak(wanted_language(request))
        try:
            check_site(request, address)
            response = await handler(request)
        except CapsvizError as error:
            response = refusal(error)
        except ClientDisconnect:  # nobody will read it
            response = Response(status_code=400)
        for name, value in {**HEADERS, **UNKEPT}.items():
            response.headers.setdefault(name, value)
        return response

    return guard


def refusal(error: CapsvizError) -> Response:
    """The sentence of an error, and when to ask again."""
    status = error.status if isinstance(error, Refused) else 422
    retry = error.retry if isinstance(error, Refused) else None
    headers = {} if retry is None else {"Retry-After": str(math.ceil(retry))}
    return answer({"problem": str(error), "retry": retry}, status, headers)


def answer(value: object, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    """JSON."""
    body = json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    return Response(body, status, dict(headers or {}), "application/json")


def wanted_language(request: Request) -> str:
    """The one of ours that the address asks for by ?lang=, or else the browser likes best."""
    asked = request.query_params.get("lang", "")
    if asked in languages():
        return asked
    wishes = []
    for place, part in enumerate(request.headers.get("accept-language", "")[:200].split(",")):
        code, _, rest = part.strip().partition(";q=")
        try:
            wishes.append((-float(rest or 1), place, code))
        except ValueError:
            continue
    for _, _, code in sorted(wishes):
        for known in (code, code.partition("-")[0].lower()):
            if known in languages():
                return known
    return languages()[0]


def check_site(request: Request, address: str) -> None:
    """Refuse what another site has the browser send.

    Raises:
        NotAllowed: if it is that.
    """
    origin = request.headers.get("origin")
    if origin is None:
        if request.method != "GET" and request.headers.get("sec-fetch-site", "none") not in (
            "none",
            "same-origin",
        ):
            raise NotAllowed(say("class.refused.site"))
        return
    own = {request.headers.get("host", ""), urlsplit(address).netloc} - {""}
    try:
        asking = urlsplit(origin).netloc
    except ValueError:
        asking = ""
    if asking not in own:
        raise NotAllowed(say("class.refused.site"))


async def body_of(request: Request, most: int = MOST_BODY) -> Mapping[str, Any]:
    """The JSON object that was sent; no more of it is read than may be.

    Raises:
        NoJson: if it is of another type, or no object.
        TooLarge: if it has more than ``most`` bytes.
    """
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != "application/json":
        raise NoJson(say("class.refused.json"))
    told = request.headers.get("content-length", "0")
    if not told.isdecimal() or int(told[:12]) > most:
        raise TooLarge(say("class.refused.large"))
    body = bytearray()
    async for chunk in request.stream():  # a body may be longer than it says, or say nothing
        body += chunk
        if len(body) > most:
            raise TooLarge(say("class.refused.large"))
    return parse_json(bytes(body))


def bearer(request: Request) -> str:
    """The token or secret of the header Authorization; it never stands in an address, which logs keep.

    Raises:
        NotAllowed: if there is none.
    """
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not token or len(token) > 400:
        raise NotAllowed(say("class.refused.token"))
    return token.strip()
