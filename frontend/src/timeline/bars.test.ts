import { beforeEach, describe, expect, it, vi } from "vitest";
import { emptyModel, nodeOf, type RunModel } from "../store/model";
import { Kind, NUM_KINDS } from "../store/spans";
import { BarsLayer, type Scale } from "./bars";
import { layOut, measure, type Layout } from "./layout";
import type { Palette } from "./palette";

const PERIOD = 8;
const WIDTH = 300;

/** What the layer asks of a canvas: pixels that are put, and pictures that are moved. */
class FakeContext {
  words = new Uint32Array(0);
  globalCompositeOperation = "";
  readonly canvas: { width: number; height: number; readonly context: FakeContext };

  constructor() {
    let [width, height] = [300, 150];
    const clear = () => (this.words = new Uint32Array(width * height));
    this.canvas = {
      context: this,
      get width() {
        return width;
      },
      set width(value: number) {
        width = value;
        clear();
      },
      get height() {
        return height;
      },
      set height(value: number) {
        height = value;
        clear();
      },
    };
    clear();
  }

  putImageData({ data, width }: { data: Uint8ClampedArray; width: number }, _x: number, _y: number, left: number, _top: number, num: number, height: number): void {
    const words = new Uint32Array(data.buffer);
    for (let y = 0; y < height; y++) this.words.set(words.subarray(y * width + left, y * width + left + num), y * width + left);
  }

  drawImage({ context, width, height }: FakeContext["canvas"], byX: number): void {
    for (let y = 0; y < height; y++) {
      for (let x = 0; x < width; x++) {
        const from = x - byX;
        this.words[y * width + x] = from >= 0 && from < width ? (context.words[y * width + from] as number) : 0;
      }
    }
  }
}

const palette = {
  words: Uint32Array.from({ length: NUM_KINDS }, (_, kind) => 1000 + kind),
  textures: Array.from({ length: NUM_KINDS }, (_, kind) =>
    kind === Kind.compute ? null : { period: PERIOD, words: Uint32Array.from({ length: PERIOD * PERIOD }, (_, at) => 100 * (kind + 20) + at) },
  ),
  stallWord: 7,
} as unknown as Palette;

beforeEach(() => {
  vi.stubGlobal("ImageData", class {
    constructor(
      readonly data: Uint8ClampedArray,
      readonly width: number,
    ) {}
  });
  vi.spyOn(HTMLCanvasElement.prototype, "getContext").mockImplementation(() => new FakeContext() as never);
});

let model: RunModel;
let layout: Layout;
const ends = new Map<string, number>();

beforeEach(() => {
  model = emptyModel();
  ends.clear();
  for (let worker = 0; worker < 3; worker++) nodeOf(model, `worker-${worker}`);
  for (let i = 0; i < 400; i++) grow(i);
  layout = layOut(measure(WIDTH, 80), model, 3, 0);
});

/** Let each worker do something more: spans of very different lengths, with pauses, a part of an iteration after another. */
function grow(i: number): void {
  for (let worker = 0; worker < 3; worker++) {
    const id = `worker-${worker}`;
    const startS = (ends.get(id) ?? 0) + (i % 11 === worker ? 1.7 : 0);
    const endS = startS + ([0.2, 6.3, 0.04, 2.9, 0.5, 14.2, 8] [(i * (worker + 2)) % 7] as number);
    const kind = (i + worker) % 29 === 0 ? Kind.lost : ([Kind.compute, Kind.up, Kind.wait, Kind.down] [i % 4] as Kind);
    nodeOf(model, id).track.add({ startS, endS, kind, iteration: i >> 1, reason: -1, value: 0, isSlow: i % 5 === 0, seq: i });
    ends.set(id, endS);
  }
}

function wordsOf({ canvas }: BarsLayer): Uint32Array {
  return (canvas as unknown as FakeContext["canvas"]).context.words;
}

function fresh(scale: Scale): Uint32Array {
  const layer = new BarsLayer();
  const changedS = model.workers.map(({ track }) => track.changedFromS);
  layer.paint(scale, layout, palette, model, 0);
  model.workers.forEach(({ track }, i) => (track.changedFromS = changedS[i] as number)); // left for the other layer to see
  return wordsOf(layer);
}

/** Tell where two pictures differ first, as a column and a row; null where they are the same. */
function difference(one: Uint32Array, other: Uint32Array): { x: number; y: number } | null {
  const at = one.findIndex((word, i) => word !== other[i]);
  return at < 0 && one.length === other.length ? null : { x: at % WIDTH, y: Math.floor(at / WIDTH) };
}

describe("the bars of a view that moves", () => {
  it.each([0.31, 0.05, 0.1, 1.9])("are those of a view that is drawn afresh, at %s s to a column", (stepS) => {
    const layer = new BarsLayer();
    let origin = Math.round(300 / stepS);
    let atMs = 0;
    for (const [i, shift] of [0, 1, 1, 2, 3, -1, 5, -4, 40, -90, 7, 1, 0, -2, 299, -150, 1, 1, 1, 1].entries()) {
      origin += shift;
      if (i % 3 === 0) grow(400 + i);
      const scale = { stepS, origin, width: WIDTH, ratio: 1 };
      layer.paint(scale, layout, palette, model, (atMs += 600)); // so slow that it rests after each move
      expect(difference(wordsOf(layer), fresh(scale)), `after move ${i}`).toBeNull();
    }
  });

  it.each([0.31, 4])("are so where the newest is followed, at %s s to a column", (stepS) => {
    const layer = new BarsLayer();
    for (let i = 0; i < 40; i++) {
      grow(400 + i);
      const origin = Math.round((ends.get("worker-0") as number) / stepS) - 250;
      const scale = { stepS, origin, width: WIDTH, ratio: 1 };
      layer.paint(scale, layout, palette, model, i * 600);
      expect(difference(wordsOf(layer), fresh(scale)), `after event ${i}`).toBeNull();
    }
  });

  it("keep their level of detail while they move, and take that of a fresh drawing once they rest", () => {
    const layer = new BarsLayer();
    const paint = (scale: Scale, atMs: number) => layer.paint(scale, layout, palette, model, atMs);
    const scaleOf = (stepS: number): Scale => ({ stepS, origin: Math.round(100 / stepS), width: WIDTH, ratio: 1 });
    const kept = [3, 2.5, 2, 1.8, 1.6, 1.4, 1.2, 1, 0.9].map(scaleOf).filter((scale, i) => {
      const atMs = 10_000 * i;
      paint(scaleOf(4), atMs + 16); // merged
      paint(scale, atMs + 32);
      const isKept = difference(wordsOf(layer), fresh(scale)) !== null;
      expect(isKept && layer.isSettled).toBe(false);
      paint(scale, atMs + 48);
      expect(difference(wordsOf(layer), fresh(scale)) !== null).toBe(isKept);
      paint(scale, atMs + 600);
      expect(layer.isSettled).toBe(true);
      expect(difference(wordsOf(layer), fresh(scale))).toBeNull();
      return isKept;
    });
    expect(kept.length).toBeGreaterThan(0);
  });
});

describe("a loss", () => {
  it("has its hatching however many columns are drawn as one", () => {
    const words = new Set(fresh({ stepS: 6, origin: 0, width: WIDTH, ratio: 1 }));
    expect(words.has(palette.words[Kind.lost] as number)).toBe(false);
    expect((palette.textures[Kind.lost]?.words as Uint32Array).some((word) => words.has(word))).toBe(true);
  });
});
