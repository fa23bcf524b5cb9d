"""What every page and every answer to a browser has in common: templates, static files, security headers, plain error pages.

Must not know any single page, nor put text of a customer anywhere but into a template, where it is escaped.
"""

from __future__ import annotations

import json
import logging
import secrets
from http import HTTPStatus
from pathlib import Path
from typing import Any

from aiohttp import web
from aiohttp.typedefs import Handler
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from core.store.api import StoreUnavailable

STATIC = Path(__file__).parent / "static"
_TEMPLATES = Environment(
    loader=FileSystemLoader(Path(__file__).parent / "templates"),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)
_WEBHOOKS = "/c/"  # asked by providers, who are no browsers
_FRAMED = web.AppKey("framed", bool)
_LOG = logging.getLogger(__name__)
_TEXTS = {
    400: ("bad_request", "The request could not be understood."),
    401: ("sign_in", "Sign in first."),
    403: ("forbidden", "This is not allowed."),
    404: ("not_found", "There is nothing here."),
    405: ("method_not_allowed", "This address does not take this kind of request."),
    408: ("too_slow", "The request did not arrive in time."),
    413: ("too_large", "The request is too large."),
    415: ("unsupported_media_type", "The body is not of a kind that is read here."),
    429: ("too_many_requests", "Too many requests; try again in a moment."),
    500: ("internal", "Something went wrong here. It was recorded."),
    503: ("unavailable", "This cannot be done right now; try again in a moment."),
}


def install(app: web.Application, *, public_url: str, framed: bool = False) -> None:
    """Give `app` static files, security headers and uniform errors. `framed`: our own pages may frame each other, as the simulator does."""
    app[_FRAMED] = framed
    fixed = {
        "X-Content-Type-Options": "nosniff",
        "Referrer-Policy": "same-origin",
        "Cross-Origin-Opener-Policy": "same-origin",
        "Cross-Origin-Resource-Policy": "same-origin",
        "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=()",
        "X-Frame-Options": "SAMEORIGIN" if framed else "DENY",
        "Content-Security-Policy": _policy("", framed=framed),
        "Cache-Control": "no-store",
    }
    if public_url.startswith("https://"):
        fixed["Strict-Transport-Security"] = "max-age=31536000"

    async def add_headers(request: web.Request, response: web.StreamResponse) -> None:
        response.headers.pop("Server", None)
        if request.path.startswith(_WEBHOOKS):
            return
        for name, value in fixed.items():
            response.headers.setdefault(name, value)

    app.on_response_prepare.append(add_headers)
    app.middlewares.append(uniform_errors)
    app.router.add_get("/static/{path:.+}", _static)


def page(request: web.Request, template: str, *, status: int = 200, shows_frames: bool = False, **values: Any) -> web.Response:
    """Return a page rendered from `template`, which also gets `nonce` for its script and style elements.

    One that `shows_frames` may frame pages of ours, whoever may frame it.
    """
    nonce = secrets.token_urlsafe(18)
    text = _TEMPLATES.get_template(template).render(nonce=nonce, **values)
    policy = _policy(nonce, framed=request.config_dict[_FRAMED], shows_frames=shows_frames)
    return web.Response(text=text, status=status, content_type="text/html", headers={"Content-Security-Policy": policy})


def problem(status: int, code: str, text: str, **more: Any) -> web.Response:
    """Return an error answer for programs: a stable `code` and a sentence."""
    body = json.dumps({"error": {"code": code, "text": text, **more}}, ensure_ascii=False)
    return web.Response(text=body, status=status, content_type="application/json")


def failure(status: int) -> web.Response:
    """Return the error answer of a status for a request that cannot be asked what it accepts."""
    answer = problem(status, *_text(status))
    answer.headers.update({"X-Content-Type-Options": "nosniff", "Cache-Control": "no-store", "Server": "-"})
    return answer


@web.middleware
async def uniform_errors(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Turn every error into one form that says what happened and nothing about how we are built."""
    try:
        return await handler(request)
    except web.HTTPException as error:
        if error.status < 400 or error.content_type == "application/json":
            raise
        return _uniform(request, error.status, error)
    except StoreUnavailable:
        return _uniform(request, 503, web.HTTPServiceUnavailable(headers={"Retry-After": "1"}))
    except Exception as error:  # noqa: BLE001 - whatever it is, the caller gets the same answer
        number = secrets.token_hex(6)
        resource = request.match_info.route.resource  # not the path, which may hold a secret
        place = resource.canonical if resource else "-"
        _LOG.error("request %s failed at %s %s", number, request.method, place, exc_info=error)
        return _uniform(request, 500, None, number)


def _uniform(request: web.Request, status: int, error: web.HTTPException | None, number: str | None = None) -> web.Response:
    code, text = _text(status)
    if "text/html" in request.headers.get("Accept", ""):
        title = HTTPStatus(status).phrase
        answer = page(request, "error.html", status=status, title=title, text=text, number=number)
    else:
        answer = problem(status, code, text, **({"request": number} if number else {}))
    if error is not None:  # Allow, Retry-After and the like
        answer.headers.extend((name, value) for name, value in error.headers.items() if not name.lower().startswith("content-"))
    return answer


def _text(status: int) -> tuple[str, str]:
    return _TEXTS.get(status) or _TEXTS[400 if status < 500 else 500]


def _policy(nonce: str, *, framed: bool, shows_frames: bool = False) -> str:
    scripts = f"'nonce-{nonce}'" if nonce else "'none'"
    styles = f"'self' 'nonce-{nonce}'" if nonce else "'none'"
    ancestors = "'self'" if framed else "'none'"
    frames = "'self'" if shows_frames else ancestors
    return (
        f"default-src 'none'; script-src {scripts}; style-src {styles}; img-src 'self' data:; media-src 'self'; font-src 'self'; "
        f"connect-src 'self'; frame-src {frames}; frame-ancestors {ancestors}; form-action 'self'; base-uri 'none'"
    )


async def _static(request: web.Request) -> web.StreamResponse:
    """Answer with a file of `static/`; the browser asks each time whether it has changed, so an update is seen at once."""
    path = request.match_info["path"]
    file = (STATIC / path).resolve() if "\0" not in path else STATIC
    if not file.is_relative_to(STATIC) or not file.is_file():
        raise web.HTTPNotFound
    return web.FileResponse(file, headers={"Cache-Control": "no-cache"})
