/**
 * Measure the timeline: `npm run dev`, open /dev/bench.html?spans=1000000&nodes=8, read `window.benchmark`.
 *
 * Times are of the main thread: what a frame's callbacks take, without the browser's own painting.
 */

import { createRoot } from "react-dom/client";
import "../src/styles/tokens.css";
import "../src/styles/base.css";
import { LossChart } from "../src/charts/LossChart";
import { WaitChart } from "../src/charts/WaitChart";
import { makeSession } from "../src/run/session";
import { emptyModel, workerOf, type RunModel } from "../src/store/model";
import { reduce } from "../src/store/reduce";
import { RunStore } from "../src/store/runStore";
import { Kind } from "../src/store/spans";
import type { FrameLoop } from "../src/timeline/frames";
import { Timeline } from "../src/timeline/Timeline";
import { syntheticLog } from "./syntheticLog";

interface Result {
  name: string;
  min_ms: number;
  p50_ms: number;
  p95_ms: number;
  max_ms: number;
  frames: number;
}

declare global {
  interface Window {
    benchmark?: { spans: number; nodes: number; fold_us_per_event: number; results: Result[] };
  }
}

const query = new URLSearchParams(window.location.search);
const numSpans = Number(query.get("spans") ?? 1_000_000);
const numNodes = Number(query.get("nodes") ?? 8);

/** Fill the lanes: compute, send, wait, receive, over and over. */
function fill(model: RunModel): number {
  const perNode = Math.floor(numSpans / numNodes);
  let endS = 0;
  for (let worker = 0; worker < numNodes; worker++) {
    const node = workerOf(model, worker);
    node.life = "joined";
    node.bornS = 0;
    node.lives.push({ fromS: 0, toS: Infinity });
    let atS = 0.01 * worker;
    for (let i = 0; i < perNode; i++) {
      const kind = [Kind.compute, Kind.up, Kind.wait, Kind.down][i % 4] as Kind;
      const lengthS = kind === Kind.compute ? 0.05 * (1 + ((i * 7919 + worker) % 31) / 31) : kind === Kind.wait ? 0.02 * ((i * 31) % 7) + 0.001 : 0.004;
      node.track.add({ startS: atS, endS: atS + lengthS, kind, iteration: i >> 2, reason: -1, value: 0.5, isSlow: false, seq: i });
      if (kind === Kind.compute) {
        model.steps.add(atS, lengthS);
        model.trainLoss.add(atS, 1 / (1 + atS / 100));
        model.numIterations += 1;
      } else if (kind === Kind.wait) {
        const row = { version: i, numPushes: 1, maxStaleness: 1, scale: 0.25, reason: 0, seq: i };
        if (worker === 0) model.aggregates.add(atS, row);
      }
      atS += lengthS;
    }
    endS = Math.max(endS, atS);
  }
  model.numEvents = numSpans;
  model.lastS = endS;
  model.finishedS = endS;
  return endS;
}

function measureFold(): number {
  const log = syntheticLog({ policy: "ssp", factors: [1, 1, 1, 1.2, 1.5, 2, 3, 4], seconds: 400 });
  const model = emptyModel();
  const startMs = performance.now();
  for (let i = 0; i < log.length; i += 2000) reduce(model, log.slice(i, i + 2000));
  return ((performance.now() - startMs) * 1000) / log.length;
}

const nextFrame = () => new Promise<number>((resolve) => requestAnimationFrame(resolve));

async function measure(name: string, loop: FrameLoop, num: number, act: (frame: number) => void): Promise<Result> {
  const times: number[] = [];
  for (let frame = 0; frame < num; frame++) {
    act(frame);
    loop.request();
    await nextFrame();
    times.push(lastPaintMs);
  }
  times.sort((a, b) => a - b);
  const at = (share: number) => Number((times[Math.min(times.length - 1, Math.floor(share * times.length))] ?? 0).toFixed(2));
  return { name, min_ms: at(0), p50_ms: at(0.5), p95_ms: at(0.95), max_ms: at(1), frames: num };
}

let lastPaintMs = 0;

/** Time every callback of an animation frame. */
function timeFrames(): void {
  const original = window.requestAnimationFrame.bind(window);
  window.requestAnimationFrame = (callback) =>
    original((atMs) => {
      const startMs = performance.now();
      callback(atMs);
      const tookMs = performance.now() - startMs;
      if (tookMs > 0.01) lastPaintMs = tookMs;
    });
}

async function main(): Promise<void> {
  const foldUs = measureFold();
  timeFrames();
  const store = new RunStore("bench", { connect: () => ({ onopen: null, onmessage: null, onclose: null, send: () => undefined, close: () => undefined }) });
  const session = makeSession(store);
  const { view, loop } = session;
  const endS = fill(store.model);
  loop.add((atMs) => view.tick(atMs, store.nowS(), false));
  const root = document.getElementById("root");
  if (!root) return;
  createRoot(root).render(
    <>
      <Timeline session={session} numWorkers={numNodes} selection={null} selectedNode={null} onSelect={() => undefined} />
      {query.has("charts") && <LossChart session={session} height={110} target={null} />}
      {query.has("charts") && <WaitChart session={session} height={90} numWorkers={numNodes} />}
    </>,
  );
  await new Promise((resolve) => setTimeout(resolve, 1000));
  const results: Result[] = [];
  for (const [name, lengthS] of [["whole run", endS], ["a tenth", endS / 10], ["60 s", 60], ["5 s", 5]] as const) {
    view.show(endS / 2 - lengthS / 2, endS / 2 + lengthS / 2);
    for (let i = 0; i < 5; i++) await nextFrame();
    results.push(await measure(`pan, ${name}`, loop, 90, (frame) => view.pan(frame % 60 < 30 ? 0.004 : -0.004)));
    results.push(await measure(`zoom, ${name}`, loop, 60, (frame) => view.zoom(frame % 30 < 15 ? 0.97 : 1 / 0.97, endS / 2)));
  }
  window.benchmark = { spans: numSpans, nodes: numNodes, fold_us_per_event: Number(foldUs.toFixed(2)), results };
  const output = document.createElement("pre");
  output.textContent = JSON.stringify(window.benchmark, null, 1);
  document.body.append(output);
}

void main();
