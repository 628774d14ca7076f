/**
 * A line under each lane whose iterations are too narrow for an outline each, and bars where many windows were missed:
 * above the line the share that ended late, below it the share that ended early. Bins stand still while the view moves.
 */

import type { ForecastTrack } from "../store/forecastTrack";
import type { PastStore } from "../store/past";
import { Kind } from "../store/spans";
import { EARLY, LATE, shareOf, type Tile } from "../store/tiles";
import { fromS, isInSight, secondsOf, topOf, toS, xOf, type Frame } from "./frame";
import type { Lane } from "./layout";

export const LEAST_HEIGHT = 8; // CSS pixels of a lane
const BIN = 8; // CSS pixels of a bin, at least
const BIN_ITERATIONS = 16; // in a bin, on average at least
const RAIL = 6; // CSS pixels of a bar, where all were missed
const MANY = 0.1; // share of the iterations on one side of their 5-95% windows from which it is shown: twice what is wanted

/** Where the line of a lane is, and what is drawn. */
interface Rail {
  y: number;
  most: number; // CSS pixels of a bar
  lines: Path2D;
  bars: Path2D;
}

/** Make the rail of a lane, or null where there is no room for it. */
function railOf(frame: Frame, lane: Lane, lines: Path2D, bars: Path2D): Rail | null {
  const most = Math.min(RAIL, Math.floor((lane.pitch - lane.height - 3) / 2));
  if (most < 2 || lane.height < LEAST_HEIGHT) return null;
  return { y: topOf(frame, lane) + lane.height + 1 + most, most, lines, bars };
}

function addBin(frame: Frame, { y, most, lines, bars }: Rail, startS: number, endS: number, late: number, early: number): void {
  const left = Math.round(xOf(frame, startS));
  const width = Math.max(1, Math.round(xOf(frame, endS)) - left);
  lines.rect(left, y, width, 1);
  if (late > MANY) bars.rect(left, y - Math.ceil(most * late), width, Math.ceil(most * late));
  if (early > MANY) bars.rect(left, y + 1, width, Math.ceil(most * early));
}

/** Add the rail of a lane from single iterations, counted. */
export function addRail(frame: Frame, lane: Lane, forecasts: ForecastTrack, first: number, end: number, lines: Path2D, bars: Path2D): void {
  const rail = railOf(frame, lane, lines, bars);
  if (!rail) return;
  const { started } = forecasts;
  const [beginS, untilS] = [started[first] as number, started[end - 1] as number];
  const binS = widthOf(Math.max(secondsOf(frame, BIN), (BIN_ITERATIONS * (untilS - beginS)) / (end - first)));
  for (let bin = Math.floor(beginS / binS); bin * binS <= untilS; bin++) {
    const next = forecasts.indexAt((bin + 1) * binS);
    const { num, numLate, numEarly } = forecasts.missesBetween(forecasts.indexAt(bin * binS), next);
    const isLast = next === forecasts.length; // it ends where the last iteration began
    const endS = isLast ? (started[next - 1] as number) : (bin + 1) * binS;
    if (num > 0) addBin(frame, rail, bin * binS, endS, numLate / num, numEarly / num);
  }
}

function widthOf(leastS: number): number {
  return 2 ** Math.ceil(Math.log2(leastS));
}

/** Draw the rails of a long run where only its tiles are known: there, shares of the time that a worker computed. */
export function drawPastMisses(frame: Frame, past: PastStore): void {
  const [lines, bars] = [new Path2D(), new Path2D()];
  const lanes = frame.layout.lanes.flatMap((lane) => {
    const rail = lane.worker !== null && isInSight(frame, lane) ? railOf(frame, lane, lines, bars) : null;
    return rail && lane.worker !== null ? [{ worker: lane.worker, rail }] : [];
  });
  if (lanes.length === 0) return;
  const binS = widthOf(Math.max(secondsOf(frame, BIN), 2 ** past.level));
  for (const segment of past.segments) {
    const lowS = Math.max(0, segment.fromS, Math.floor(fromS(frame) / binS) * binS);
    const highS = Math.min(segment.toS, past.tiles.state.to_s, Math.ceil(toS(frame) / binS) * binS);
    if (segment.model || highS <= lowS) continue;
    const bins = missesOf(past, lanes.map(({ worker }) => worker), { lowS, highS, binS });
    lanes.forEach(({ rail }, i) => {
      for (const { startS, computed, late, early } of bins[i] as Missed[]) {
        if (computed > 0) addBin(frame, rail, Math.max(lowS, startS), Math.min(highS, startS + binS), Math.min(1, late / computed), Math.min(1, early / computed));
      }
    });
  }
  const { ctx, palette } = frame;
  ctx.fillStyle = palette.inkQuiet;
  ctx.fill(lines);
  ctx.fillStyle = palette.ink;
  ctx.fill(bars);
}

/** Seconds of a worker in one bin. */
export interface Missed {
  startS: number;
  computed: number;
  late: number;
  early: number;
}

interface Stretch {
  lowS: number;
  highS: number;
  binS: number;
}

/** Sum up, for each worker, what the tiles with any missed window hold, in bins from that which holds `lowS`. */
export function missesOf({ tiles, level }: Pick<PastStore, "tiles" | "level">, workers: readonly number[], { lowS, highS, binS }: Stretch): Missed[][] {
  const first = Math.floor(lowS / binS);
  const num = Math.ceil(highS / binS) - first;
  const sums = workers.map(() => Array.from({ length: num }, (_, i): Missed => ({ startS: (first + i) * binS, computed: 0, late: 0, early: 0 })));
  tiles.scan(level, lowS, highS, (tile, bin, startS, endS) => {
    if (!tile.hasMisses) return;
    workers.forEach((worker, i) => {
      const row = tile.rows.get(worker);
      if (row === undefined) return;
      const [computed, late, early] = sharesOf(tile, row, bin);
      // A bin of a coarser tile, drawn until the finer one is here, can reach over several.
      for (let at = Math.floor(startS / binS); at * binS < endS; at++) {
        const sum = sums[i]?.[at - first];
        const seconds = Math.min(endS, (at + 1) * binS) - Math.max(startS, at * binS);
        if (!sum) continue;
        sum.computed += seconds * computed;
        sum.late += seconds * late;
        sum.early += seconds * early;
      }
    });
  });
  return sums;
}

function sharesOf(tile: Tile, row: number, bin: number): [computed: number, late: number, early: number] {
  const computed = shareOf(tile, Kind.compute, row, bin) + shareOf(tile, Kind.overlapped, row, bin);
  return [computed, shareOf(tile, LATE, row, bin), shareOf(tile, EARLY, row, bin)];
}
