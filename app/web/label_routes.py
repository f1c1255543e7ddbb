"""app.web.label_routes: the labelling page's addresses; no place, site id or tile name passes through here.

A volunteer's browser gets random tokens and picture bytes. What a token stands for stays behind
`LabellingDesk`. Who may ask is decided before a request comes here (`app.web.access`).
"""

import re
from collections.abc import Callable
from datetime import UTC, datetime
from io import BytesIO
from typing import Annotated, Literal

from PIL import Image
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from app.i18n import _
from app.services import words
from app.services.labelling import LabellingDesk
from app.web.context import AppContext
from app.web.label_page import FILES, render_page, static_text
from geodata.errors import BusyError, KilnlightError
from geodata.store.records import PictureMark

PICTURE_PX = 512
"""Side of every picture that is sent: a tile's own size in pixels would tell its latitude."""
_MAX_BODY = 256 * 1024
_NO_STORE = {"Cache-Control": "no-store"}
_TOKEN = r"[A-Za-z0-9_-]{8,64}"
_KEY = r"[A-Za-z0-9_-]{16,64}"


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Tap(_Strict):
    """A tap on the picture, as shares of its width and height from the upper left corner."""

    u: float = Field(ge=0, le=1)
    v: float = Field(ge=0, le=1)


class Answer(_Strict):
    """One answer; `key` is the same however often it is sent."""

    kind: Literal["answer"]
    key: str = Field(pattern=f"^{_KEY}$")
    token: str = Field(pattern=f"^{_TOKEN}$")
    answer: Literal["kiln", "none", "unsure", "bad_image"]
    marks: tuple[Tap, ...] = Field(max_length=20)
    seen_at: datetime

    def picture_marks(self) -> tuple[PictureMark, ...]:
        """The marks as the store takes them."""
        return tuple(PictureMark(mark.u, mark.v) for mark in self.marks)

    def seen(self, now: datetime) -> datetime:
        """When the picture was seen, in UTC; a browser clock that runs ahead is held to `now`."""
        at = self.seen_at if self.seen_at.tzinfo else self.seen_at.replace(tzinfo=UTC)
        return min(at.astimezone(UTC), now)


class Undo(_Strict):
    """Takes the answer with the key `undoes` back."""

    kind: Literal["undo"]
    key: str = Field(pattern=f"^{_KEY}$")
    undoes: str = Field(pattern=f"^{_KEY}$")
    token: str = Field(pattern=f"^{_TOKEN}$")


class _Batch(_Strict):
    volunteer: str = Field(pattern=f"^{_KEY}$")
    items: list[dict[str, object]] = Field(max_length=100)


class _Ask(_Strict):
    volunteer: str = Field(pattern=f"^{_KEY}$")
    count: int = Field(ge=1, le=20)
    have: list[str] = Field(max_length=200)


_ITEM: TypeAdapter[Answer | Undo] = TypeAdapter(Annotated[Answer | Undo, Field(discriminator="kind")])


def label_routes(context: AppContext) -> list[Route]:
    """The routes of the labelling page: the page, its files, pictures by token, next and answers."""
    pages = _Pages(LabellingDesk(context.project, now=context.now))
    return [
        Route("/label", pages.page),
        Route("/label/picture/{token}.jpg", pages.picture),
        Route("/label/api/next", pages.next, methods=["POST"]),
        Route("/label/api/answers", pages.answers, methods=["POST"]),
        Route("/label/{name}", pages.file),
    ]


class _Pages:
    def __init__(self, desk: LabellingDesk) -> None:
        self._desk = desk

    def page(self, request: Request) -> Response:
        text = render_page(made_up=self._desk.made_up(), years=self._desk.years())
        return Response(text, media_type="text/html; charset=utf-8", headers=_NO_STORE)

    def file(self, request: Request) -> Response:
        name = request.path_params["name"]
        if name not in FILES:
            return _refused(404, _("There is nothing at this address."))
        return Response(static_text(name), media_type=FILES[name], headers={"Cache-Control": "no-cache"})

    def picture(self, request: Request) -> Response:
        token = request.path_params["token"]
        content = self._desk.picture(token) if re.fullmatch(_TOKEN, token) else None
        if content is None:
            return _refused(404, _("This picture is not there."))
        return Response(plain_picture(content), media_type="image/jpeg", headers=_NO_STORE)

    async def next(self, request: Request) -> Response:
        try:
            ask = _Ask.model_validate_json(await _body(request))
        except (ValidationError, _TooLargeError):
            return _refused(422, _("This request could not be read."))
        return await run_in_threadpool(_or_busy, lambda: self._next(ask))

    def _next(self, ask: _Ask) -> Response:
        tokens = self._desk.next_tokens(ask.volunteer, ask.count, frozenset(ask.have))
        done = self._desk.done(ask.volunteer)
        return _json({"tokens": list(tokens), "done": {"today": done.today, "total": done.total}})

    async def answers(self, request: Request) -> Response:
        try:
            batch = _Batch.model_validate_json(await _body(request))
        except (ValidationError, _TooLargeError):
            return _refused(422, _("This request could not be read."))
        return await run_in_threadpool(_or_busy, lambda: self._answers(batch))

    def _answers(self, batch: _Batch) -> Response:
        stored: list[str] = []
        refused: list[str] = []
        for raw in batch.items:
            (stored if self._take(batch.volunteer, raw) else refused).append(str(raw.get("key", "")))
        done = self._desk.done(batch.volunteer)
        return _json(
            {"stored": stored, "refused": refused, "done": {"today": done.today, "total": done.total}}
        )

    def _take(self, volunteer: str, raw: dict[str, object]) -> bool:
        """Store one item; a broken one is refused by itself, so that it does not hold up the others."""
        try:
            item = _ITEM.validate_python(raw, strict=False)
        except ValidationError:
            return False
        if isinstance(item, Undo):
            return self._desk.undo(volunteer, item)
        if bool(item.marks) != (item.answer == "kiln"):
            return False
        return self._desk.answer(volunteer, item)


def plain_picture(content: bytes) -> bytes:
    """The same picture as a JPEG of a fixed size that holds nothing but pixels."""
    with Image.open(BytesIO(content)) as image:
        pixels = image.convert("RGB").resize((PICTURE_PX, PICTURE_PX), Image.Resampling.BICUBIC)
    # a fresh image: profiles, text chunks and EXIF of the file do not come along
    plain = Image.frombytes("RGB", pixels.size, pixels.tobytes())
    out = BytesIO()
    plain.save(out, "JPEG", quality=88)
    return out.getvalue()


class _TooLargeError(Exception):
    """The body of a request is larger than anything that the page sends."""


async def _body(request: Request) -> bytes:
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > _MAX_BODY:
            raise _TooLargeError
    return bytes(body)


def _or_busy(answer: Callable[[], Response]) -> Response:
    """The answer, or that the page should ask again: nothing is lost, it keeps what was not taken."""
    try:
        return answer()
    except BusyError:
        return _refused(503, words.busy())
    except KilnlightError:
        return _refused(503, words.cannot_store())


def _json(content: object) -> JSONResponse:
    return JSONResponse(content, headers=_NO_STORE)


def _refused(status: int, sentence: str) -> JSONResponse:
    return JSONResponse({"error": sentence}, status, headers=_NO_STORE)
