import { describe, expect, it } from "vitest";
import { Kind, NUM_KINDS } from "../store/spans";
import { BINS, readTile, type Tile, type TileStore } from "../store/tiles";
import { Pixels } from "./pixels";
import { STACK_ORDER, stackUp } from "./stack";
import { TileColumns } from "./tileColumns";

const WIDTH = 120;
const HEIGHT = 20;
const LANE = 6;
const words = Uint32Array.from({ length: NUM_KINDS }, (_, kind) => 100 + kind);

/** A tile of level 0 at place 0 in which worker 5 computes in every bin, and waits more and more. */
function tileOfOne(): Tile {
  const data = new ArrayBuffer(4 + 5 * BINS * 4 + 2 + 5 * BINS);
  const view = new DataView(data);
  view.setUint16(2, 1, true);
  const workers = 4 + 5 * BINS * 4;
  view.setUint16(workers, 5, true);
  for (let bin = 0; bin < BINS; bin++) {
    view.setUint8(workers + 2 + Kind.compute * BINS + bin, Math.round(255 * Math.sqrt(0.5)));
    view.setUint8(workers + 2 + Kind.wait * BINS + bin, Math.round(255 * Math.sqrt(bin / BINS / 2)));
  }
  return readTile(data, 0, 0);
}

function storeOf(tile: Tile): Pick<TileStore, "scan"> {
  const scan: TileStore["scan"] = (_, fromS, toS, take) => {
    for (let bin = Math.max(0, Math.floor(fromS)); bin < Math.min(BINS, Math.ceil(toS)); bin++) {
      take(tile, bin, Math.max(fromS, bin), Math.min(toS, bin + 1));
    }
  };
  return { scan };
}

/** Write the columns [x0, x1) into pixels that may hold something. */
function write(pixels: Pixels, tile: Tile, origin: number, stepS: number, x0: number, x1: number, top = 4): Uint32Array {
  const columns = new TileColumns();
  pixels.open(WIDTH, HEIGHT, x0, x1);
  columns.choose(storeOf(tile), 0, origin, stepS, x0, x1);
  columns.write(pixels, 5, top, LANE, words);
  return pixels.words;
}

describe("the columns of tiles", () => {
  it("hold what each bin consists of, from the foot of the lane up, and nothing beside the lane", () => {
    const tile = tileOfOne();
    const stepS = 0.4;
    const found = write(new Pixels(), tile, 300, stepS, 0, WIDTH);
    const shares = new Float64Array(NUM_KINDS);
    const tops = new Int32Array(NUM_KINDS);
    for (let x = 0; x < WIDTH; x++) {
      const bin = Math.floor((300 + x + 0.5) * stepS);
      shares[Kind.compute] = 0.5;
      shares[Kind.wait] = bin / BINS / 2;
      stackUp(shares, LANE, tops);
      for (let y = 0; y < HEIGHT; y++) {
        const place = tops.findIndex((top) => 4 + LANE - 1 - y < top);
        const isLane = y >= 4 && y < 4 + LANE;
        expect(found[y * WIDTH + x]).toBe(isLane && place >= 0 ? words[STACK_ORDER[place] as Kind] : 0);
      }
    }
  });

  it("are the same whether they are drawn as a whole or part by part, over whatever was there", () => {
    const tile = tileOfOne();
    for (const [origin, stepS] of [[0, 0.37], [211, 0.83], [-40, 0.5]] as const) {
      const whole = write(new Pixels(), tile, origin, stepS, 0, WIDTH).slice();
      const pixels = new Pixels();
      pixels.open(WIDTH, HEIGHT, 0, WIDTH);
      pixels.fill(0, 0, WIDTH, HEIGHT, 7);
      for (const [x0, x1] of [[70, WIDTH], [0, 33], [33, 34], [34, 70]] as const) write(pixels, tile, origin, stepS, x0, x1);
      expect(pixels.words).toEqual(whole);
    }
  });

  it("are cut where a lane is scrolled out of sight", () => {
    const tile = tileOfOne();
    const whole = write(new Pixels(), tile, 0, 0.5, 0, WIDTH).slice();
    const above = write(new Pixels(), tile, 0, 0.5, 0, WIDTH, -2);
    expect([...above.slice(0, WIDTH)]).toEqual([...whole.slice(6 * WIDTH, 7 * WIDTH)]);
    const below = write(new Pixels(), tile, 0, 0.5, 0, WIDTH, HEIGHT - 2);
    expect([...below.slice((HEIGHT - 2) * WIDTH)]).toEqual([...whole.slice(4 * WIDTH, 6 * WIDTH)]);
  });
});

describe("pixels", () => {
  it("are written only in the columns that are open", () => {
    const pixels = new Pixels();
    pixels.open(8, 2, 0, 8);
    pixels.fill(0, 0, 8, 2, 1);
    pixels.open(8, 2, 3, 5);
    pixels.fill(2, 1, 9, 5, 9);
    expect([...pixels.words]).toEqual([1, 1, 1, 0, 0, 1, 1, 1, 1, 1, 1, 9, 9, 1, 1, 1]);
  });
});
