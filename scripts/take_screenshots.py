"""Take the README's screenshots from a running demo (`make demo` in another terminal), with the network cut.

    python scripts/take_screenshots.py http://127.0.0.1:8501

Needs the extra `browser` and Chromium. Writes docs/images/map.png and label.png.
"""

import shutil
import sys
from pathlib import Path
from typing import Any

from playwright.sync_api import sync_playwright

IMAGES = Path(__file__).parent.parent / "docs" / "images"
SETTLE_MS = 6000
"""Tiles, clusters and hexagons fade in."""


def only_this_machine(address: str, context: Any) -> None:
    """Refuse every request that is not for the app."""
    inside = (address, address.replace("http", "ws", 1), "blob:", "data:")
    context.route(
        "**/*", lambda route: route.continue_() if route.request.url.startswith(inside) else route.abort()
    )


def take_map(context: Any, address: str) -> None:
    """The map with its coverage and one site chosen."""
    page = context.new_page()
    page.goto(address)
    page.locator(".kilnmap[data-ready]").wait_for(timeout=60_000)
    page.get_by_text("Coverage: where was looked").click()
    page.wait_for_timeout(SETTLE_MS)
    page.locator("canvas").first.focus()
    page.keyboard.press("n")
    page.wait_for_timeout(SETTLE_MS)
    page.screenshot(path=IMAGES / "map.png")


def take_label(context: Any, address: str) -> None:
    """The labelling page with its first picture."""
    page = context.new_page()
    page.goto(f"{address}/label")
    page.fill("#name", "Heron")
    page.press("#name", "Enter")
    page.wait_for_selector("#frame img")
    page.wait_for_timeout(SETTLE_MS)
    page.screenshot(path=IMAGES / "label.png")


def main() -> None:
    """Take both."""
    address = sys.argv[1].rstrip("/")
    path = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    with sync_playwright() as driver:
        browser = driver.chromium.launch(
            executable_path=path, args=["--no-sandbox", "--use-gl=angle", "--use-angle=swiftshader"]
        )
        for take in (take_map, take_label):
            context = browser.new_context(viewport={"width": 1280, "height": 800})
            only_this_machine(address, context)
            take(context, address)
            context.close()
        browser.close()


if __name__ == "__main__":
    main()
