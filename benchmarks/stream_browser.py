"""From a worker's event to the painted pixel, in one real Chromium.

Every event carries the moment at which it was written. The page is watched from within: events arrive and are folded in
one task; the first animation frame thereafter in which anything is drawn on a canvas shows them; the task that follows
that frame runs once its painting was handed over, and takes the time.
"""

from __future__ import annotations

import shutil
from typing import Any

from playwright.sync_api import sync_playwright

from benchmarks.stream_server import TOKEN, Server

CHROMIUMS = ("chromium", "chromium-browser", "google-chrome")
FLAGS = ("--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking", "--disable-sync")
WARM_UP_S = 3.0

WATCH = """
(() => {
  const latencies = (window.__latencies = []);
  let beginningMs = null; // of the run, by the wall
  let numDrawings = 0;
  for (const name of ["fillRect", "stroke", "fill", "drawImage"]) {
    const draw = CanvasRenderingContext2D.prototype[name];
    CanvasRenderingContext2D.prototype[name] = function (...values) {
      numDrawings += 1;
      return draw.apply(this, values);
    };
  }
  const frames = []; // what has arrived, and waits for the end of a frame
  const { port1, port2 } = new MessageChannel();
  port1.onmessage = () => {
    const nowMs = performance.timeOrigin + performance.now();
    const arrived = frames.shift();
    if (numDrawings === arrived.numDrawings) watch(arrived); // nothing was drawn yet
    else for (const writtenMs of arrived.writtenMs) latencies.push(nowMs - writtenMs);
  };
  function watch(arrived) {
    requestAnimationFrame(() => {
      frames.push(arrived);
      port2.postMessage(0); // heard after this animation frame was painted
    });
  }
  const Plain = window.WebSocket;
  window.WebSocket = class extends Plain {
    constructor(...values) {
      super(...values);
      this.addEventListener("message", ({ data }) => {
        if (!data.startsWith('{"type":"events"')) return;
        const writtenMs = [];
        for (const event of JSON.parse(data).events) {
          if (event.kind === "RunStarted") beginningMs = (event.wall_time_s - event.at_s) * 1000;
          if (event.kind === "IterationFinished") writtenMs.push(beginningMs + event.at_s * 1000);
        }
        watch({ writtenMs, numDrawings });
      });
    }
  };
})();
"""


def measure_painting(server: Server, run_id: str, seconds: float) -> list[float]:
    """Open the run's page, watch for some seconds, and give the latency of each iteration's end, in milliseconds."""
    program = next(filter(None, map(shutil.which, CHROMIUMS)), None)
    if program is None:
        raise RuntimeError("no Chromium: install the package chromium")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=list(FLAGS))
        page = browser.new_page(viewport={"width": 1280, "height": 800})
        page.add_init_script(WATCH)
        page.goto(f"http://127.0.0.1:{server.port}/runs/{run_id}?token={TOKEN}")
        while not page.evaluate("window.__latencies.length"):  # waiting by a script is against the page's own policy
            page.wait_for_timeout(100)
        page.wait_for_timeout(WARM_UP_S * 1000)  # the first frames hold the past, whose events are old
        page.evaluate("window.__latencies.length = 0")
        page.wait_for_timeout(seconds * 1000)
        found: list[Any] = page.evaluate("window.__latencies")
        browser.close()
    return [float(latency_ms) for latency_ms in found]
