import { describe, expect, it } from "vitest";
import { TimeSeries } from "./series";
import { Kind, NUM_KINDS, SpanTrack, type Span } from "./spans";
import { Table } from "./table";

function span(startS: number, endS: number, kind: Kind = Kind.compute): Span {
  return { startS, endS, kind, iteration: 0, reason: -1, value: 0, isSlow: false, seq: 1 };
}

/** A repeatable random source. */
function randomOf(seed: number): () => number {
  let state = seed;
  return () => (state = (state * 16_807) % 2_147_483_647) / 2_147_483_647;
}

function randomSpans(num: number, seed: number): Span[] {
  const random = randomOf(seed);
  let atS = 0;
  return Array.from({ length: num }, () => {
    const startS = atS + (random() < 0.3 ? random() : 0);
    atS = startS + 0.01 + random();
    return span(startS, atS, Math.floor(random() * NUM_KINDS) as Kind);
  });
}

/** The seconds of each kind in [fromS, toS), added up span by span. */
function addUp(spans: Span[], fromS: number, toS: number): number[] {
  const out = new Array<number>(NUM_KINDS).fill(0);
  for (const { startS, endS, kind } of spans) {
    out[kind] = (out[kind] as number) + Math.max(0, Math.min(endS, toS) - Math.max(startS, fromS));
  }
  return out;
}

describe("SpanTrack", () => {
  it("gives the seconds of each kind within any stretch, as adding up span by span does", () => {
    const spans = randomSpans(1000, 3);
    const track = new SpanTrack();
    const random = randomOf(11);
    const out = new Float64Array(NUM_KINDS);
    spans.forEach((one, i) => {
      track.add(one);
      if (i % 37 !== 0) return;
      const toS = random() * one.endS * 1.1;
      const fromS = random() * toS;
      track.sumWithin(fromS, toS, out);
      addUp(spans.slice(0, i + 1), fromS, toS).forEach((wish, kind) => expect(out[kind]).toBeCloseTo(wish, 9));
    });
  });

  it("puts late spans in their place and forgets what it had summed up behind them", () => {
    const spans = randomSpans(300, 5);
    const track = new SpanTrack();
    const out = new Float64Array(NUM_KINDS);
    for (let i = 0; i < spans.length; i += 5) {
      for (const one of spans.slice(i, i + 5).reverse()) {
        track.add(one);
        track.sumWithin(0, Infinity, out); // so that there is something to forget
      }
    }
    expect([...track.start.subarray(0, track.length)]).toEqual(spans.map(({ startS }) => startS));
    track.sumWithin(0, 1e9, out);
    addUp(spans, 0, 1e9).forEach((wish, kind) => expect(out[kind]).toBeCloseTo(wish, 9));
  });

  it("ignores a span without length", () => {
    const track = new SpanTrack();
    track.add(span(1, 1));
    expect(track.length).toBe(0);
  });

  it("finds the span at a time; its end does not belong to it", () => {
    const track = new SpanTrack();
    track.add(span(1, 2));
    track.add(span(2, 3));
    track.add(span(5, 6));
    expect([0.9, 1, 1.9, 2, 3, 5.5, 6].map((atS) => track.find(atS))).toEqual([-1, 0, 0, 1, -1, 2, -1]);
  });

  it("splits a wait where its reason changes", () => {
    const track = new SpanTrack();
    track.add(span(1, 3, Kind.wait));
    track.explainWait(1, 7);
    track.explainWait(2, 8);
    expect([track.at(0), track.at(1)].map(({ startS, endS, reason }) => [startS, endS, reason])).toEqual([
      [1, 2, 7],
      [2, 3, 8],
    ]);
  });
});

describe("TimeSeries", () => {
  it("gives sums and means of any stretch, late values included", () => {
    const series = new TimeSeries();
    const values = Array.from({ length: 500 }, (_, i) => ({ atS: (i * 7) % 500, value: i % 11 }));
    for (const { atS, value } of values) series.add(atS, value);
    for (const [fromS, toS] of [[0, 500], [3, 4], [100, 333], [499, 900]] as const) {
      const inside = values.filter(({ atS }) => atS >= fromS && atS < toS).map(({ value }) => value);
      const wish = inside.reduce((a, b) => a + b, 0) / inside.length;
      expect(series.mean(fromS, toS)).toBeCloseTo(wish, 9);
    }
    expect(series.mean(600, 700)).toBeNull();
  });

  it("knows the value that held at a time", () => {
    const series = new TimeSeries();
    series.add(1, 10);
    series.add(2, 20);
    expect([0.5, 1, 1.5, 2, 9].map((atS) => series.valueAt(atS))).toEqual([null, 10, 10, 20, 20]);
  });
});

describe("Table", () => {
  it("keeps rows together and sorted while it grows", () => {
    const table = new Table(["a", "b"]);
    for (let i = 0; i < 100; i++) table.add((i * 37) % 100, { a: (i * 37) % 100, b: -((i * 37) % 100) });
    for (let i = 0; i < 100; i++) expect([table.at[i], table.get(i, "a"), table.get(i, "b")]).toEqual([i, i, -i]);
  });
});
