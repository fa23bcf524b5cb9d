"""The address table of the desk: every route with the role that it needs. Nothing is reachable that is not named here."""

from __future__ import annotations

from collections.abc import AsyncIterator

from aiohttp import web

from core.routing.dispositions import DISPOSITIONS
from core.store.agents import Role
from gateway import pages
from gateway.desk.admin import Accounts
from gateway.desk.api import Work
from gateway.desk.auth import Caller, Handler, Sessions, guarded
from gateway.desk.dead_letters import DeadLetters
from gateway.desk.feed import Feed
from gateway.desk.mails import Mails
from gateway.desk.media import Attachments
from gateway.desk.passwords import LEAST_CHARS, Passwords
from gateway.desk.signing import Signing
from gateway.desk.uploads import Uploads
from gateway.runtime import Gateway

PUBLIC = frozenset({("GET", "/desk/login"), ("POST", "/desk/login"), ("POST", "/desk/api/login")})


def install(app: web.Application, gateway: Gateway) -> None:
    """Give `app` the desk. The web chat's `TYPING` must be installed too."""
    passwords = Passwords()
    sessions = Sessions(gateway, gateway.url)
    feed = Feed(gateway, sessions)
    signing = Signing(gateway, sessions, passwords)
    uploads = Uploads(gateway)
    work, accounts = Work(gateway, uploads), Accounts(gateway, passwords, feed.check_sessions)
    mails = Mails(gateway)
    attachments = Attachments(gateway)
    letters = DeadLetters(gateway)
    pages_of = _Pages(gateway)
    agent, admin = Role.AGENT, Role.ADMIN

    app.router.add_get("/desk/login", signing.page)
    app.router.add_post("/desk/login", signing.submit)
    app.router.add_post("/desk/api/login", signing.sign_in)
    app.router.add_get("/desk", guarded(sessions, agent, pages_of.desk, page=True))
    app.router.add_get("/desk/dead-letters", guarded(sessions, Role.SUPERVISOR, pages_of.dead_letters, page=True))
    app.router.add_get("/desk/agents", guarded(sessions, admin, pages_of.agents, page=True))
    routes: tuple[tuple[str, str, Role, Handler], ...] = (
        ("GET", "/desk/feed", agent, feed.connect),
        ("POST", "/desk/api/logout", agent, signing.sign_out),
        ("POST", "/desk/api/password", agent, signing.change_password),
        ("GET", "/desk/api/lists", agent, work.lists),
        ("GET", "/desk/api/conversations/{conversation}", agent, work.conversation),
        ("GET", "/desk/api/conversations/{conversation}/entries", agent, work.entries),
        ("POST", "/desk/api/conversations/{conversation}/reply", agent, work.reply),
        ("POST", "/desk/api/conversations/{conversation}/files", agent, uploads.take),
        ("POST", "/desk/api/conversations/{conversation}/note", agent, work.note),
        ("POST", "/desk/api/messages/{message}/again", agent, work.again),
        ("GET", "/desk/api/messages/{message}/letter", agent, mails.parts),
        ("GET", "/desk/api/messages/{message}/look", agent, mails.look),
        ("GET", "/desk/media/{media}", agent, attachments.content),
        ("POST", "/desk/api/items/{item}/claim", agent, work.claim),
        ("POST", "/desk/api/items/{item}/release", agent, work.release),
        ("POST", "/desk/api/items/{item}/close", agent, work.close),
        ("POST", "/desk/api/items/{item}/take-over", Role.SUPERVISOR, work.take_over),
        ("POST", "/desk/api/items/{item}/return", Role.SUPERVISOR, work.force_return),
        ("POST", "/desk/api/conversations/{conversation}/unlock-codes", Role.SUPERVISOR, letters.unlock),
        ("GET", "/desk/api/delivery", Role.SUPERVISOR, letters.delivery),
        ("GET", "/desk/api/dead-letters", Role.SUPERVISOR, letters.everyone),
        ("POST", "/desk/api/dead-letters/replay", Role.SUPERVISOR, letters.replay),
        ("POST", "/desk/api/dead-letters/edit", Role.SUPERVISOR, letters.edit),
        ("POST", "/desk/api/dead-letters/discard", Role.SUPERVISOR, letters.discard),
        ("GET", "/desk/api/agents", admin, accounts.everyone),
        ("POST", "/desk/api/agents", admin, accounts.add),
        ("POST", "/desk/api/agents/{agent}/disable", admin, accounts.disable),
        ("POST", "/desk/api/agents/{agent}/enable", admin, accounts.enable),
        ("POST", "/desk/api/agents/{agent}/role", admin, accounts.set_role),
        ("POST", "/desk/api/agents/{agent}/phone", admin, accounts.set_phone),
        ("POST", "/desk/api/agents/{agent}/password", admin, accounts.set_password),
    )
    for method, path, role, handler in routes:
        app.router.add_route(method, path, guarded(sessions, role, handler))

    async def threads(_: web.Application) -> AsyncIterator[None]:
        yield
        passwords.close()

    app.cleanup_ctx.append(threads)
    app.cleanup_ctx.append(feed.run)
    app.on_shutdown.append(feed.close)


class _Pages:
    """The pages of the desk; what they show is fetched by their scripts and put into text nodes."""

    def __init__(self, gateway: Gateway) -> None:
        self._gateway = gateway

    async def desk(self, request: web.Request, caller: Caller) -> web.StreamResponse:
        """Return the desk itself."""
        boot = {
            "agent": {"id": caller.agent.id, "name": caller.agent.name, "role": caller.agent.role.value, "phone": caller.agent.phone},
            "dispositions": [list(one) for one in DISPOSITIONS],
            "channels": {one.id: one.capabilities.family.value for one in self._gateway.core_channels().values()},
            "password_least": LEAST_CHARS,
            "file_max_bytes": self._gateway.settings.media.max_bytes,
            "supervises": caller.agent.role.covers(Role.SUPERVISOR),
        }
        return pages.page(request, "desk.html", shows_frames=True, boot=boot, agent=caller.agent, is_admin=caller.agent.role is Role.ADMIN)

    async def dead_letters(self, request: web.Request, caller: Caller) -> web.StreamResponse:
        """Return the page for dead letters."""
        channels = {one.id: one.capabilities.family.value for one in self._gateway.core_channels().values()}
        return pages.page(request, "desk_dead_letters.html", boot={"channels": channels}, agent=caller.agent)

    async def agents(self, request: web.Request, caller: Caller) -> web.StreamResponse:
        """Return the page for accounts."""
        boot = {"agent": {"id": caller.agent.id}, "password_least": LEAST_CHARS}
        return pages.page(request, "desk_agents.html", boot=boot, agent=caller.agent, roles=[role.value for role in Role])
