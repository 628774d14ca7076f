"""Frames of a page in Chromium while a reader drags and zooms, for `benchmarks.timeline`. No program of its own.

The moves are made inside the page, one in each frame of the display, as a mouse makes them: a program outside has to
wait for each move until the page has taken it, and so reaches no more than every second frame.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable

from playwright.sync_api import Page

STEPS = 120  # frames of a drag or a zoom

# Notes how long each frame's own work took, and when frames came; a canvas is painted when it has several colours.
PROBE = """
(() => {
  window.frames_ = [];
  const real = window.requestAnimationFrame.bind(window);
  window.realFrame_ = real;
  window.requestAnimationFrame = (callback) => real((at) => {
    const start = performance.now();
    callback(at);
    window.frames_.push([at, performance.now() - start]);
  });
  window.painted_ = new Promise((done) => {
    const look = () => {
      const canvas = document.querySelector('[data-timeline] canvas');
      if (canvas && canvas.width > 0) {
        const pixels = canvas.getContext('2d').getImageData(Math.floor(canvas.width / 2), 0, 1, canvas.height).data;
        const colours = new Set();
        for (let i = 0; i < pixels.length; i += 4) colours.add(pixels[i] * 65536 + pixels[i + 1] * 256 + pixels[i + 2]);
        if (colours.size > 4) { done(performance.now()); return; }
      }
      real(look);
    };
    real(look);
  });
})();
"""

# Moves in each frame. The pointer is held down by a real press, so that what the page sees is a drag like any other.
MOVES = """
async ({ what, steps, x, y, width }) => {
  const canvas = document.elementFromPoint(x, y);
  const place = { clientX: x, clientY: y, pointerId: 1, pointerType: 'mouse', buttons: 1 };
  const options = { bubbles: true, cancelable: true, ...place };
  await new Promise((done) => {
    let step = 0;
    const move = () => {
      if (step === steps) { done(); return; }
      if (what === 'drag') {
        const clientX = x - 0.3 * width * (1 - Math.abs(1 - (2 * step) / steps));
        canvas.dispatchEvent(new PointerEvent('pointermove', { ...options, clientX }));
      } else {
        canvas.dispatchEvent(new WheelEvent('wheel', { ...options, deltaY: step < steps / 2 ? -20 : 20 }));
      }
      step += 1;
      window.realFrame_(move);
    };
    window.realFrame_(move);
  });
}
"""

# The control: as much canvas as the timeline's, painted in one colour in each frame in which the pointer moves.
CONTROL = """
({ width, height, ratio }) => {
  document.body.innerHTML = '<div data-timeline><canvas></canvas></div>';
  document.body.style.margin = 0;
  const canvas = document.querySelector('canvas');
  Object.assign(canvas, { width: width * ratio, height: height * ratio });
  Object.assign(canvas.style, { width: `${width}px`, height: `${height}px`, display: 'block' });
  const ctx = canvas.getContext('2d', { alpha: false });
  let number = 0, asked = false;
  const paint = () => {
    asked = false;
    ctx.fillStyle = number++ % 2 ? '#123' : '#124';
    ctx.fillRect(0, 0, canvas.width, canvas.height);
  };
  const ask = () => { if (!asked) { asked = true; requestAnimationFrame(paint); } };
  canvas.addEventListener('pointermove', ask);
  canvas.addEventListener('wheel', (event) => { event.preventDefault(); ask(); }, { passive: false });
}
"""


def show(page: Page, scale: float | None) -> None:
    """Zoom by keys around the middle: to the whole run, to a share of it, or to some 30 iterations of a worker."""
    page.keyboard.press("f")
    page.wait_for_timeout(500)
    box = plot(page)
    page.mouse.move(box["x"] + box["width"] * 0.5, box["y"] + box["height"] * 0.5)
    steps = 0 if scale == 1.0 else 14 if scale else 26
    for _ in range(steps):
        page.keyboard.press("w")
        page.wait_for_timeout(60)
    page.wait_for_timeout(2_500)


def plot(page: Page) -> dict[str, float]:
    box = page.locator("[data-timeline] canvas").bounding_box()
    assert box is not None
    return {name: float(box[name]) for name in ("x", "y", "width", "height")}


def drag(page: Page) -> None:
    """Take hold of the timeline, move it to and fro, and let go."""
    box = plot(page)
    x, y = box["x"] + box["width"] * 0.7, box["y"] + box["height"] * 0.5
    page.mouse.move(x, y)
    page.mouse.down()
    page.evaluate(MOVES, {"what": "drag", "steps": STEPS, "x": x, "y": y, "width": box["width"]})
    page.mouse.up()


def zoom(page: Page) -> None:
    """Turn the wheel one way, then the other."""
    box = plot(page)
    x, y = box["x"] + box["width"] * 0.5, box["y"] + box["height"] * 0.5
    page.mouse.move(x, y)
    page.evaluate(MOVES, {"what": "zoom", "steps": STEPS, "x": x, "y": y, "width": box["width"]})


def frames(page: Page, act: Callable[[Page], None]) -> tuple[list[float], list[float]]:
    """Give the milliseconds of work of each frame while something is done, and those between two frames."""
    page.evaluate("window.frames_.length = 0")
    act(page)
    by_frame: dict[float, float] = {}
    for at_ms, work_ms in page.evaluate("window.frames_"):
        by_frame[at_ms] = by_frame.get(at_ms, 0.0) + work_ms
    times = sorted(by_frame)
    gaps = [later - earlier for earlier, later in itertools.pairwise(times)]
    return list(by_frame.values()), gaps
