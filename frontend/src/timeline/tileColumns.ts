/** From tiles to pixel columns: what the lanes of a long run show while single spans are not there. */

import { NUM_KINDS } from "../store/spans";
import { shareOf, type TileStore } from "../store/tiles";
import type { ColumnSink } from "./columns";

const NUM_TILE_KINDS = 5;
const shares = new Float64Array(NUM_KINDS);

/**
 * Draw the columns [x0, x1) of a worker's lane; column x shows the time [(origin + x) * stepS, (origin + x + 1) * stepS).
 * Each bin takes whole columns. O(bins in sight).
 */
export function scanTiles(
  tiles: TileStore,
  level: number,
  worker: number,
  origin: number,
  stepS: number,
  x0: number,
  x1: number,
  mixed: ColumnSink["mixed"],
): void {
  tiles.scan(level, (origin + x0) * stepS, (origin + x1) * stepS, (tile, bin, fromS, toS) => {
    const row = tile.rows.get(worker);
    if (row === undefined) return;
    const left = Math.max(x0, Math.round(fromS / stepS) - origin);
    const right = Math.min(x1, Math.round(toS / stepS) - origin);
    if (right <= left) return;
    let total = 0;
    for (let kind = 0; kind < NUM_TILE_KINDS; kind++) {
      const share = shareOf(tile, kind, row, bin);
      shares[kind] = share;
      total += share;
    }
    if (total > 0) mixed(left, right - left, shares);
  });
}
