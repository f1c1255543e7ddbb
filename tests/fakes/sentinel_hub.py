"""A local server that speaks Sentinel Hub's OAuth, Catalog and Process endpoints, with faults on demand."""

import json
import re
import threading
from collections import defaultdict, deque
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs

import numpy as np
import rasterio
from rasterio.features import rasterize
from rasterio.io import MemoryFile
from rasterio.transform import from_bounds
from rasterio.warp import transform_geom
from shapely.geometry import box, mapping

CLIENT_ID = "id-of-the-test-client"
CLIENT_SECRET = "very-secret-word-73501"
TOKEN, CATALOG, PROCESS = "/token", "/api/v1/catalog/1.0.0/search", "/api/v1/process"
CLOUD_CLASS, BARE_CLASS = 9, 5


@dataclass(frozen=True)
class Product:
    """One granule: its id, time, cloud share, box in degrees and the value that its pixels carry."""

    product_id: str
    seen_at: datetime
    bounds: tuple[float, float, float, float]
    value: int
    cloud_percent: float = 0.0
    cloudy: tuple[float, float, float, float] | None = None

    def feature(self) -> dict:
        shape = mapping(box(*self.bounds))
        return {
            "type": "Feature",
            "id": self.product_id,
            "bbox": list(self.bounds),
            "geometry": {
                "type": "MultiPolygon",
                "crs": {"type": "name", "properties": {"name": "urn:ogc:def:crs:OGC::CRS84"}},
                "coordinates": [shape["coordinates"]],
            },
            "properties": {
                "datetime": self.seen_at.strftime("%Y-%m-%dT%H:%M:%SZ"),
                "platform": f"sentinel-{self.product_id[1:3].lower()}",
                "eo:cloud_cover": self.cloud_percent,
            },
        }


@dataclass
class Fault:
    """What goes wrong with one request: `kind` is a status or one of the names in `_Handler.spoil`."""

    kind: str
    headers: dict[str, str] = field(default_factory=dict)


class FakeSentinelHub:
    """The service: what it holds, what was asked of it, and what goes wrong next."""

    def __init__(self) -> None:
        self.products: list[Product] = []
        self.faults: dict[str, deque[Fault]] = defaultdict(deque)
        self.requests: list[tuple[str, dict]] = []
        self.tokens: list[str] = []
        self.token_lifetime_s = 3600
        self.page = 100
        self.base_url = ""

    def fail(self, path: str, kind: str, times: int = 1, **headers: str) -> None:
        self.faults[path].extend(Fault(kind, headers) for _ in range(times))

    def asked(self, path: str) -> list[dict]:
        return [body for where, body in self.requests if where == path]

    @property
    def environment(self) -> dict[str, str]:
        return {
            "SH_CLIENT_ID": CLIENT_ID,
            "SH_CLIENT_SECRET": CLIENT_SECRET,
            "SH_BASE_URL": self.base_url,
            "SH_TOKEN_URL": self.base_url + TOKEN,
        }

    @contextmanager
    def running(self):
        server = ThreadingHTTPServer(("127.0.0.1", 0), type("Handler", (_Handler,), {"service": self}))
        server.daemon_threads = True
        self.base_url = f"http://127.0.0.1:{server.server_address[1]}"
        thread = threading.Thread(target=lambda: server.serve_forever(poll_interval=0.02), daemon=True)
        thread.start()
        try:
            yield self
        finally:
            server.shutdown()
            server.server_close()
            thread.join()

    def search(self, body: dict) -> dict:
        start, end = (datetime.fromisoformat(text) for text in body["datetime"].split("/"))
        area = box(*body["bbox"])
        found = [
            product
            for product in self.products
            if product.product_id.split("_")[1][3:].lower() == body["collections"][0][-3:]
            and start <= product.seen_at <= end
            and box(*product.bounds).intersects(area)
        ]
        first, count = int(body.get("next", 0)), min(body["limit"], self.page)
        page = found[first : first + count]
        context = {"limit": count, "returned": len(page)}
        if first + count < len(found):
            context["next"] = first + count
        return {"type": "FeatureCollection", "features": [p.feature() for p in page], "context": context}

    def picture(self, body: dict) -> bytes:
        """The mosaic of all products in the span of time, the latest on top, as the real service makes it."""
        data, output = body["input"]["data"][0], body["output"]
        width, height = output["width"], output["height"]
        assert 1 <= width <= 2500 and 1 <= height <= 2500
        bands = re.findall(r'"(\w+)"', re.search(r"bands: \[([^\]]*)\]", body["evalscript"]).group(1))
        assert bands.pop() == "dataMask" and 'sampleType: "UINT16"' in body["evalscript"]
        span = data["dataFilter"]["timeRange"]
        start, end = datetime.fromisoformat(span["from"]), datetime.fromisoformat(span["to"])
        epsg = int(body["input"]["bounds"]["properties"]["crs"].rsplit("/", 1)[1])
        transform = from_bounds(*body["input"]["bounds"]["bbox"], width, height)
        pixels = np.zeros((len(bands), height, width), np.uint16)
        for product in sorted(self.products, key=lambda p: p.seen_at):
            if start <= product.seen_at <= end and product.product_id[7:10].lower() == data["type"][-3:]:
                _paint(pixels, bands, product, epsg, transform)
        return _tiff(pixels, epsg, transform)


def _paint(pixels, bands, product, epsg, transform) -> None:
    def inside(bounds):
        shape = transform_geom("EPSG:4326", f"EPSG:{epsg}", mapping(box(*bounds).segmentize(0.01)))
        return rasterize([shape], out_shape=pixels.shape[1:], transform=transform, dtype="uint8").astype(bool)

    seen = inside(product.bounds)
    for index, band in enumerate(bands):
        pixels[index][seen] = BARE_CLASS if band == "SCL" else product.value + index
        if band == "SCL" and product.cloudy:
            pixels[index][seen & inside(product.cloudy)] = CLOUD_CLASS


def _tiff(pixels, epsg, transform) -> bytes:
    count, height, width = pixels.shape
    with MemoryFile() as memory:
        with memory.open(
            driver="GTiff", count=count, height=height, width=width, dtype=pixels.dtype,
            crs=rasterio.crs.CRS.from_epsg(epsg), transform=transform, compress="deflate",
        ) as dataset:  # fmt: skip
            dataset.write(pixels)
        return memory.read()


class _Handler(BaseHTTPRequestHandler):
    service: FakeSentinelHub
    protocol_version = "HTTP/1.1"

    def log_message(self, *_args) -> None:
        """Silent."""

    def do_POST(self) -> None:
        raw = self.rfile.read(int(self.headers["Content-Length"]))
        body = {k: v[0] for k, v in parse_qs(raw.decode()).items()} if self.path == TOKEN else json.loads(raw)
        self.service.requests.append((self.path, body))
        fault = self.service.faults[self.path].popleft() if self.service.faults[self.path] else None
        if fault is not None and fault.kind.isdigit():
            return self.answer_json(int(fault.kind), self.complaint(fault), **fault.headers)
        if self.path == TOKEN:
            return self.give_token(body)
        if self.headers["Authorization"] not in [f"Bearer {token}" for token in self.service.tokens]:
            return self.answer_json(401, {"error": {"message": "You are not authorized!"}})
        if self.path == CATALOG:
            return self.answer_json(200, {} if fault else self.service.search(body))
        return self.give_picture(body, fault)

    def complaint(self, fault: Fault) -> dict:
        """A careless server, which says back what it was told."""
        said = f"refused {self.headers.get('Authorization', '')} of {CLIENT_ID} with {CLIENT_SECRET}"
        return {"error": {"status": int(fault.kind), "message": said}}

    def give_token(self, body: dict) -> None:
        if (body.get("client_id"), body.get("client_secret")) != (CLIENT_ID, CLIENT_SECRET):
            return self.answer_json(401, {"error": "invalid_client", "error_description": CLIENT_SECRET})
        token = f"eyJ-test-token-{len(self.service.tokens)}"
        self.service.tokens = [token]
        lifetime = self.service.token_lifetime_s
        return self.answer_json(200, {"access_token": token, "token_type": "Bearer", "expires_in": lifetime})

    def give_picture(self, body: dict, fault: Fault | None) -> None:
        kind = fault.kind if fault else ""
        if kind == "wrong_size":
            body["output"]["width"] //= 2
        if kind == "other_place":
            body["input"]["bounds"]["bbox"] = [x + 5000 for x in body["input"]["bounds"]["bbox"]]
        if kind == "empty":
            body["input"]["data"][0]["dataFilter"]["timeRange"] = {
                "from": "1990-01-01T00:00:00Z",
                "to": "1990-01-01T00:00:00Z",
            }
        content = self.service.picture(body)
        size = len(content)
        if kind == "garbled":
            content = content[: size // 2]
            size = len(content)
        if kind == "cut":
            content = content[: size // 2]
            self.close_connection = True
        units = body["output"]["width"] * body["output"]["height"] / 512**2
        self.answer(
            200, content, size, {"Content-Type": "image/tiff", "X-ProcessingUnits-Spent": f"{units:.4f}"}
        )

    def answer_json(self, status: int, value: dict, **headers: str) -> None:
        content = json.dumps(value).encode()
        extra = {name.replace("_", "-"): text for name, text in headers.items()}
        self.answer(status, content, len(content), {"Content-Type": "application/json", **extra})

    def answer(self, status: int, content: bytes, size: int, headers: dict[str, str]) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(size))
        self.end_headers()
        self.wfile.write(content)


def product(
    tile: str = "43RGM", day: int = 15, satellite: str = "S2B", level: str = "L2A", bounds=None, **more
) -> Product:
    """A granule of January 2024 over Delhi; `more` goes to `Product`."""
    seen_at = more.pop("seen_at", datetime.fromisoformat(f"2024-01-{day:02d}T05:42:01+00:00"))
    name = f"{satellite}_MSI{level}_202401{day:02d}T053119_N0510_R105_T{tile}_202401{day:02d}T081122"
    more.setdefault("value", 100 * day)
    return Product(name, seen_at, bounds or (76.0, 28.0, 78.5, 29.0), **more)


@contextmanager
def running_hub(monkeypatch, tmp_path):
    """The service on a free port, plain http allowed, and a client that is quick to try again."""
    monkeypatch.setenv("OAUTHLIB_INSECURE_TRANSPORT", "1")
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    for name in ("SH_PROFILE", "HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.delenv(name, raising=False)
    settings = tmp_path / "config" / "sentinelhub" / "config.toml"
    settings.parent.mkdir(parents=True)
    settings.write_text("[default-profile]\ndownload_sleep_time = 0.02\ndownload_timeout_seconds = 10.0\n")
    with FakeSentinelHub().running() as hub:
        for name, value in hub.environment.items():
            monkeypatch.setenv(name, value)
        yield hub
