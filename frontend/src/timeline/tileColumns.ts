/** From tiles to pixel columns: what the lanes of a long run show while single spans are not there. */

import { NUM_KINDS } from "../store/spans";
import { BINS, NUM_TILE_KINDS, shareOf, type Tile, type TileStore } from "../store/tiles";
import type { Pixels } from "./pixels";
import { STACK_ORDER, stackUp } from "./stack";

const shares = new Float64Array(NUM_KINDS);
const tops = new Int32Array(NUM_KINDS);

/** Columns [left, right) that show bins of one tile. */
interface Piece {
  tile: Tile;
  left: number;
  right: number;
}

/** What is seen of the tiles. Which column shows which bin is the same in all lanes, and so found once for a frame. */
export class TileColumns {
  private pieces: Piece[] = [];
  private bins = new Uint8Array(0); // by column

  /** Choose what the columns [x0, x1) show; column x has the time [(origin + x) * stepS, (origin + x + 1) * stepS). */
  choose(tiles: Pick<TileStore, "scan">, level: number, origin: number, stepS: number, x0: number, x1: number): void {
    this.pieces = [];
    if (this.bins.length < x1) this.bins = new Uint8Array(x1);
    let piece: Piece | null = null;
    tiles.scan(level, (origin + x0) * stepS, (origin + x1) * stepS, (tile, bin, fromS, toS) => {
      const left = Math.max(x0, Math.round(fromS / stepS) - origin);
      const right = Math.min(x1, Math.round(toS / stepS) - origin);
      if (right <= left) return;
      this.bins.fill(bin, left, right);
      if (piece?.tile === tile && piece.right === left) piece.right = right;
      else this.pieces.push((piece = { tile, left, right }));
    });
  }

  /** Write a worker's lane; `words` has the colour of each kind. */
  write(pixels: Pixels, worker: number, top: number, height: number, words: Uint32Array): void {
    const { bins } = this;
    const first = Math.max(0, -top);
    const end = Math.min(height, pixels.height - top);
    for (const { tile, left, right } of this.pieces) {
      const row = tile.rows.get(worker);
      if (row === undefined) continue;
      const cells = cellsOf(tile, row, height);
      for (let y = first; y < end; y++) {
        const line = (row * height + y) * BINS;
        let at = (top + y) * pixels.width + left;
        for (let x = left; x < right; x++) {
          const cell = cells[line + (bins[x] as number)] as number;
          if (cell > 0) pixels.words[at] = words[cell - 1] as number;
          at += 1;
        }
      }
    }
  }
}

/** Kinds of a tile's bins as they stand on one another in a lane, kept as long as the tile. */
interface Picture {
  height: number; // of a lane
  isMade: Uint8Array; // by worker's row
  cells: Uint8Array; // by worker's row, then y, then bin: kind + 1, or 0
}

const pictures = new WeakMap<Tile, Picture>();

function cellsOf(tile: Tile, row: number, height: number): Uint8Array {
  let picture = pictures.get(tile);
  if (picture?.height !== height) {
    picture = { height, isMade: new Uint8Array(tile.numWorkers), cells: new Uint8Array(tile.numWorkers * height * BINS) };
    pictures.set(tile, picture);
  }
  if (picture.isMade[row] === 0) {
    picture.isMade[row] = 1;
    makeRow(tile, row, height, picture.cells);
  }
  return picture.cells;
}

function makeRow(tile: Tile, row: number, height: number, cells: Uint8Array): void {
  for (let bin = 0; bin < BINS; bin++) {
    for (let kind = 0; kind < NUM_TILE_KINDS; kind++) shares[kind] = shareOf(tile, kind, row, bin);
    stackUp(shares, height, tops);
    let y = 0; // from the foot of the lane
    for (let place = 0; place < NUM_KINDS; place++) {
      const cell = (STACK_ORDER[place] as number) + 1;
      for (; y < (tops[place] as number); y++) cells[(row * height + height - 1 - y) * BINS + bin] = cell;
    }
  }
}
