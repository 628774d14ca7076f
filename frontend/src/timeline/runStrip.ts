/** The strip of the whole run under the timeline: what all workers together did, and which stretch is seen. */

import { sharesOfAll, type Shares } from "../store/figures";
import type { RunModel } from "../store/model";
import { Kind } from "../store/spans";
import { plotWidth, type Metrics } from "./layout";
import type { Palette } from "./palette";

const MOST_COLUMNS = 512;
const LATE_S = 2; // the streams of the log are joined late by less than this

/** Shares of all workers' time in equal parts of the run; those that will not change are computed once. */
export class RunColumns {
  stepS = 0;
  private key = "";
  private readonly settled = new Map<number, Shares>();

  /** Give the parts from the start to `endS`, as many as are known. */
  columns(model: RunModel, endS: number, key: string): Shares[] {
    let stepS = 2 ** -6;
    while (endS / stepS > MOST_COLUMNS) stepS *= 2;
    if (stepS !== this.stepS || key !== this.key) this.settled.clear();
    this.stepS = stepS;
    this.key = key;
    return Array.from({ length: Math.ceil(endS / stepS) }, (_, i) => this.column(model, i, endS));
  }

  private column(model: RunModel, i: number, endS: number): Shares {
    const known = this.settled.get(i);
    if (known) return known;
    const { stepS } = this;
    const shares = sharesOfAll(model, i * stepS, Math.min(endS, (i + 1) * stepS), endS);
    const knownS = model.past ? model.past.untilS : endS - LATE_S; // what follows a past may still be coming
    if ((i + 1) * stepS < knownS || model.finishedS !== null) this.settled.set(i, shares);
    return shares;
  }
}

const STACK: readonly { kind: Kind; of: (shares: Shares) => number }[] = [
  { kind: Kind.compute, of: ({ computeS, overlappedS }) => computeS - overlappedS },
  { kind: Kind.overlapped, of: ({ overlappedS }) => overlappedS },
  { kind: Kind.up, of: ({ transferS }) => transferS },
  { kind: Kind.wait, of: ({ waitS }) => waitS },
];

/** Draw the strip into a canvas of its own, which the window is painted over in each frame. */
export function paintRun(ctx: CanvasRenderingContext2D, columns: readonly Shares[], stepS: number, endS: number, metrics: Metrics, ratio: number, palette: Palette): void {
  const width = plotWidth(metrics);
  const height = ctx.canvas.height;
  ctx.fillStyle = palette.sunken;
  ctx.fillRect(0, 0, ctx.canvas.width, height);
  columns.forEach((shares, i) => {
    if (!(shares.wallS > 0)) return;
    const left = Math.round(((i * stepS) / endS) * width * ratio);
    const right = Math.round(Math.min(1, ((i + 1) * stepS) / endS) * width * ratio);
    let sum = 0;
    for (const { kind, of } of STACK) {
      const from = Math.round((1 - sum / shares.wallS) * height);
      sum += Math.max(0, of(shares));
      const to = Math.round((1 - Math.min(1, sum / shares.wallS)) * height);
      ctx.fillStyle = palette.solids[kind] as string;
      if (from > to) ctx.fillRect(left, to, Math.max(1, right - left), from - to);
    }
  });
}

/** Where the pointer has taken hold of the window. */
export type Grip = "window" | "left" | "right" | "outside";

const EDGE = 6; // CSS pixels around an edge of the window

export function gripAt(x: number, left: number, right: number): Grip {
  if (Math.abs(x - left) <= EDGE) return "left";
  if (Math.abs(x - right) <= EDGE) return "right";
  return x > left && x < right ? "window" : "outside";
}
