// @vitest-environment node
import { describe, expect, it } from "vitest";
import { Kind } from "../store/spans";
import { BINS, EARLY, LATE, readTile, type Tile, type TileStore } from "../store/tiles";
import { missesOf } from "./drawMisses";

/** A tile of worker 3: it computes all the time, and each bin has these shares of iterations that missed. */
function tileWith(misses: (bin: number) => { late?: number; early?: number } | null): Tile {
  const data = new Uint8Array(4 + 5 * BINS * 4 + 2 + 7 * BINS);
  const shares = 4 + 5 * BINS * 4 + 2;
  data.set([1, 7, 1, 0]);
  data.set([3, 0], shares - 2);
  for (let bin = 0; bin < BINS; bin++) {
    const missed = misses(bin);
    if (!missed) continue;
    const layers: [number, number][] = [[Kind.compute, 1], [LATE, missed.late ?? 0], [EARLY, missed.early ?? 0]];
    for (const [layer, share] of layers) data[shares + layer * BINS + bin] = Math.round(Math.sqrt(share) * 255);
  }
  return readTile(data.buffer, 0, 0);
}

/** Tiles that give one tile's bins, each so many seconds long. */
function tilesOf(tile: Tile, seconds = 1): Pick<TileStore, "scan"> {
  return {
    scan: (_level, fromS, toS, take) => {
      for (let bin = Math.floor(fromS / seconds); bin * seconds < toS; bin++) {
        take(tile, bin, Math.max(fromS, bin * seconds), Math.min(toS, (bin + 1) * seconds));
      }
    },
  };
}

const sum = (tile: Tile, stretch: { lowS: number; highS: number; binS: number }, seconds = 1) =>
  missesOf({ tiles: tilesOf(tile, seconds) as TileStore, level: 0 }, [3, 4], stretch);

describe("missed windows of a long run", () => {
  it("are summed up in wider bins, for each worker", () => {
    const tile = tileWith((bin) => ({ late: bin % 2, early: bin < 4 ? 1 : 0 }));
    const [mine, others] = sum(tile, { lowS: 0, highS: 8, binS: 4 });
    expect(mine).toEqual([
      { startS: 0, computed: 4, late: 2, early: 4 },
      { startS: 4, computed: 4, late: 2, early: 0 },
    ]);
    expect(others?.every(({ computed }) => computed === 0)).toBe(true);
  });

  it("stand where they are, however the stretch is cut", () => {
    const tile = tileWith(() => ({ late: 1 }));
    expect(sum(tile, { lowS: 6, highS: 9, binS: 4 })[0]).toEqual([
      { startS: 4, computed: 2, late: 2, early: 0 },
      { startS: 8, computed: 1, late: 1, early: 0 },
    ]);
  });

  it("are drawn out of a coarser tile until the finer one is there", () => {
    const tile = tileWith((bin) => (bin === 0 ? { late: 1 } : {}));
    expect(sum(tile, { lowS: 0, highS: 16, binS: 4 }, 8)[0]?.map(({ computed, late }) => [computed, late])).toEqual([
      [4, 4],
      [4, 4],
      [4, 0],
      [4, 0],
    ]);
  });

  it("leave out tiles in which none was missed", () => {
    const tile = { ...tileWith(() => ({})), hasMisses: false };
    expect(sum(tile, { lowS: 0, highS: 4, binS: 4 })[0]?.[0]?.computed).toBe(0);
  });
});
