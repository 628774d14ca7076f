import uPlot from "uplot";
import "uplot/dist/uPlot.min.css";
import type { Session } from "../run/session";
import { measure } from "../timeline/layout";
import type { ChartSpec } from "./Chart";

const REST = 7; // a drawing is followed by a rest of so many times its length: charts never eat the page's time

/* uPlot's enum is ambient and const: its names cannot be used here. */
/* eslint-disable @typescript-eslint/no-unsafe-enum-assignment */
const RIGHT: uPlot.Axis.Side = 1;
const LEFT: uPlot.Axis.Side = 3;
/* eslint-enable */

/** Draw a chart into a box for as long as its session lasts; gives what takes it away. */
export function mount(box: HTMLElement, { store, view, loop, playback }: Session, height: number, spec: ChartSpec): () => void {
  let plot: uPlot | null = null;
  let drawn = "";
  let restUntilMs = 0;

  const make = () => {
    plot?.destroy();
    const metrics = measure(box.clientWidth, height);
    plot = new uPlot(optionsOf(spec, box.clientWidth, height, metrics), [[], ...spec.series.map(() => [])] as uPlot.AlignedData, box);
    plot.over.addEventListener("pointermove", point);
    plot.over.addEventListener("pointerleave", () => view.setCursor(null));
    drawn = "";
    loop.request();
  };
  const point = (event: PointerEvent) => {
    if (plot) view.setCursor(event.offsetX / plot.over.clientWidth);
  };
  const stop = loop.add((atMs) => {
    if (!plot) return false;
    const { fromS, lengthS, cursorS } = view;
    const cursor = cursorS === null ? -10 : ((cursorS - fromS) / lengthS) * plot.over.clientWidth;
    plot.setCursor({ left: cursor, top: 0 }, false);
    const { headS } = playback;
    const wish = `${fromS} ${lengthS} ${store.model.lastSeq} ${store.version} ${headS ?? ""}`;
    if (wish === drawn) return false;
    if (atMs < restUntilMs) return true;
    drawn = wish;
    const startMs = performance.now();
    plot.setData(until(spec.data(fromS, lengthS, plot.over.clientWidth), headS), false);
    plot.setScale("x", { min: fromS, max: fromS + lengthS });
    restUntilMs = atMs + REST * (performance.now() - startMs);
    return false;
  }, true);
  const observer = new ResizeObserver(make);
  observer.observe(box);
  return () => {
    observer.disconnect();
    stop();
    plot?.destroy();
  };
}

/** While the run is played back, nothing after the play-head is shown. */
function until(data: uPlot.AlignedData, headS: number | null): uPlot.AlignedData {
  if (headS === null) return data;
  const [x, ...rows] = data;
  const end = Array.from(x).findIndex((atS) => atS > headS);
  if (end < 0) return data;
  return [x, ...rows.map((row) => Array.from(row, (value, i) => (i < end ? value : null)))] as uPlot.AlignedData;
}

function optionsOf(spec: ChartSpec, width: number, height: number, metrics: { left: number; right: number }): uPlot.Options {
  const stepped = spec.isStepped ? uPlot.paths.stepped?.({ align: 1 }) : undefined;
  const paths = stepped ? { paths: stepped } : {};
  const hasRight = spec.axes.some(({ isRight }) => isRight);
  return {
    width,
    height,
    padding: [8, hasRight ? 0 : metrics.right, 8, 0],
    legend: { show: false },
    cursor: { y: false, points: { show: false }, drag: { x: false, y: false } },
    scales: { x: { time: false, auto: false }, ...spec.scales },
    series: [{}, ...spec.series.map((one) => ({ ...one, ...paths }))],
    axes: [
      { show: false },
      ...spec.axes.map(({ isRight = false, ...axis }) => ({ ...axis, side: isRight ? RIGHT : LEFT, size: isRight ? metrics.right : metrics.left })),
    ],
    ...(spec.hooks ? { hooks: spec.hooks } : {}),
  };
}
