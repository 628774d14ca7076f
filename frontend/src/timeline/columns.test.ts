import { describe, expect, it } from "vitest";
import { Kind, NUM_KINDS, SpanTrack } from "../store/spans";
import { mergedColumns, scanColumns } from "./columns";

function trackOf(spans: readonly (readonly [number, number, Kind])[]): SpanTrack {
  const track = new SpanTrack();
  for (const [startS, endS, kind] of spans) {
    track.add({ startS, endS, kind, iteration: 0, reason: -1, value: 0, isSlow: false, seq: 1 });
  }
  return track;
}

/** Draw to text: one letter a column ("c" compute, "w" wait), "+" where several share it, "." idle. */
function draw(track: SpanTrack, origin: number, stepS: number, x0: number, x1: number): string {
  const letters = "coUwDel";
  const out = new Array<string>(x1 - x0).fill(".");
  scanColumns(track, origin, stepS, x0, x1, 0, {
    full: (x, width, kind) => out.fill(letters[kind] as string, x - x0, x - x0 + width),
    mixed: (x) => (out[x - x0] = "+"),
  });
  return out.join("");
}

/** Add up the shares of all columns, by kind. */
function totals(track: SpanTrack, origin: number, stepS: number, x1: number, merged: number): Float64Array {
  const sums = new Float64Array(NUM_KINDS);
  scanColumns(track, origin, stepS, 0, x1, merged, {
    full: (_, width, kind) => (sums[kind] = (sums[kind] as number) + width),
    mixed: (_, width, shares) => shares.forEach((share, kind) => (sums[kind] = (sums[kind] as number) + width * share)),
  });
  return sums;
}

const { compute, wait, up } = Kind;

describe("scanColumns", () => {
  it("draws wide spans with rounded edges and leaves idle time free", () => {
    const track = trackOf([[0, 4.4, compute], [4.4, 8.6, wait], [10, 14, compute]]);
    expect(draw(track, 0, 1, 0, 16)).toBe("ccccwwwww.cccc..");
  });

  it("shows a span narrower than a column between two wide ones", () => {
    const track = trackOf([[0, 5.2, compute], [5.2, 5.5, up], [5.5, 12, wait]]);
    expect(draw(track, 0, 1, 0, 12)).toBe("ccccc+wwwwww");
  });

  it("shows a lone narrow span", () => {
    expect(draw(trackOf([[3.1, 3.2, wait]]), 0, 1, 0, 6)).toBe("...w..");
  });

  it("draws any part as it draws the whole", () => {
    const spans: [number, number, Kind][] = [];
    for (let i = 0, atS = 0; i < 200; i++) {
      const lengthS = [0.2, 4.1, 1.3, 0.4, 9.7, 2.2][i % 6] as number;
      spans.push([atS, atS + lengthS, [compute, wait, up][i % 3] as Kind]);
      atS += lengthS + (i % 7 === 0 ? 1.5 : 0);
    }
    const track = trackOf(spans);
    const whole = draw(track, 10, 0.9, 0, 500);
    for (const [x0, x1] of [[0, 100], [77, 78], [100, 431], [431, 500]] as const) {
      expect(draw(track, 10, 0.9, x0, x1)).toBe(whole.slice(x0, x1));
    }
  });

  it("rounds an edge alike wherever the drawing begins", () => {
    const track = trackOf([[0, 0.35, compute], [0.35, 1.15, wait], [1.15, 2.5, compute]]);
    const [stepS, far] = [0.1, 4_000]; // 0.35 / 0.1 is a little less than 3.5, and 3.5 once it stands beside thousands
    const near = draw(track, 0, stepS, 0, 25);
    expect(draw(track, -far, stepS, far, far + 25)).toBe(near);
    expect(near).toBe("cccc" + "w".repeat(8) + "c".repeat(13));
  });

  it("tells where a wide span ends, also when only its end is drawn", () => {
    const ends: number[] = [];
    const track = trackOf([[0, 10, compute], [10, 20.2, compute], [20.2, 40, compute]]);
    for (const [x0, x1] of [[0, 9], [9, 15], [15, 30]] as const) {
      scanColumns(track, 0, 1, x0, x1, 0, {
        full: (x, width, _, __, isEnd) => isEnd && ends.push(x + width),
        mixed: () => undefined,
      });
    }
    expect(ends).toEqual([10, 20]);
  });

  it("keeps the time of each kind when columns are merged", () => {
    const track = new SpanTrack();
    const wish = new Float64Array(NUM_KINDS);
    for (let i = 0, startS = 0; i < 20_000; i++) {
      const kind = [compute, wait, compute, up][i % 4] as Kind;
      const endS = startS + 0.001 + 0.003 * ((i * 7919) % 13);
      track.add({ startS, endS, kind, iteration: i, reason: -1, value: 0, isSlow: false, seq: i });
      wish[kind] = (wish[kind] as number) + (endS - startS);
      startS = endS + (i % 5 === 0 ? 0.002 : 0);
    }
    const stepS = (track.lastEndS ?? 0) / 200;
    for (const merged of [1, 3, 6]) {
      const sums = totals(track, 0, stepS, 204, merged);
      wish.forEach((seconds, kind) => expect((sums[kind] as number) * stepS).toBeCloseTo(seconds, 6));
    }
    const exact = new Float64Array(NUM_KINDS);
    scanColumns(track, 7, stepS, 0, 100, 3, {
      full: () => undefined,
      mixed: (x, width, shares) => {
        track.sumWithin((7 + x) * stepS, (7 + x + width) * stepS, exact);
        shares.forEach((share, kind) => expect(share * width * stepS).toBeCloseTo(exact[kind] as number, 9));
      },
    });
    expect(mergedColumns([track], 0, stepS, 200, 0)).toBe(2);
    expect(mergedColumns([track], 0, (track.lastEndS ?? 0) / 2e5, 2e5, 0)).toBe(0);
  });
});
