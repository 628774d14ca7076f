import { describe, expect, it, vi } from "vitest";
import { syntheticLog } from "../../dev/syntheticLog";
import { sharesOf } from "./figures";
import { emptyModel } from "./model";
import { PastStore } from "./past";
import { reduce } from "./reduce";
import { Kind } from "./spans";
import { BINS, readTile, type Tile } from "./tiles";

const model = reduce(emptyModel(), syntheticLog({ policy: "ssp", factors: [1, 1, 3], seconds: 20 }));
const state = { last_seq: 1, newest_seq: 1, is_complete: true, to_s: 20, level: -3, top: 0, bins: BINS };

/** Three workers that do nothing but wait. */
function waitingTile(): Tile {
  const data = new ArrayBuffer(4 + 5 * BINS * 4 + 6 + 5 * 3 * BINS);
  const view = new DataView(data);
  const workers = 4 + 5 * BINS * 4;
  view.setUint16(2, 3, true);
  [0, 1, 2].forEach((worker) => {
    view.setUint16(workers + 2 * worker, worker, true);
    new Uint8Array(data, workers + 6 + (Kind.wait * 3 + worker) * BINS, BINS).fill(255);
  });
  return readTile(data, 0, 0);
}

describe("the waiting of a long run", () => {
  it("comes from single events where they are here, and from the tiles before and after", () => {
    const past = new PastStore("run", state, [], emptyModel(), () => undefined);
    const tile = waitingTile();
    vi.spyOn(past.tiles, "scan").mockImplementation((_, fromS, toS, take) => {
      for (let bin = Math.floor(fromS); bin < toS; bin++) take(tile, bin, Math.max(fromS, bin), Math.min(toS, bin + 1));
    });
    past.untilS = 15;
    past.detail.window = { fromS: 4.2, toS: 9.1, model };
    const stepS = 0.7;
    const groups = [[0, 1], [2]];
    const seconds = past.waiting(groups, -1, 30, stepS);
    let numWithin = 0;
    groups.forEach((workers, group) => {
      for (let i = 0; i < 30; i++) {
        const clipped = (lowS: number, highS: number) => [Math.max(lowS, (i - 1) * stepS), Math.min(highS, i * stepS)] as const;
        const [fromS, toS] = clipped(4.2, 9.1);
        let wishS = 0;
        for (const worker of workers) {
          const node = model.workers[worker];
          if (node && toS > fromS) wishS += sharesOf(model, node, fromS, toS, 20).waitS;
          for (const [lowS, highS] of [clipped(0, 4.2), clipped(9.1, 15)]) wishS += Math.max(0, highS - lowS);
        }
        if (toS > fromS && wishS > 0) numWithin += 1;
        expect(seconds[group * 30 + i]).toBeCloseTo(wishS, 6);
      }
    });
    expect(numWithin).toBeGreaterThan(6);
  });
});
