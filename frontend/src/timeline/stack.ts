/** A column in which several kinds share the time: they stand on one another, as high as their shares. */

import { Kind, NUM_KINDS } from "../store/spans";

export const STACK_ORDER = [Kind.compute, Kind.overlapped, Kind.evaluation, Kind.up, Kind.down, Kind.wait, Kind.lost] as const;

/**
 * Write how high each kind of `STACK_ORDER` reaches in a column of `height` pixels; it begins where the one before it ends.
 *
 * Pixels are whole, so that the picture is crisp. Waits and losses are rounded up, all else to the nearest.
 */
export function stackUp(shares: Float64Array, height: number, tops: Int32Array): void {
  let covered = 0;
  let top = 0;
  for (let place = 0; place < NUM_KINDS; place++) {
    const kind = STACK_ORDER[place] as Kind;
    const share = shares[kind] as number;
    covered += share;
    const wished = (covered < 1 ? covered : 1) * height;
    const isRoundedUp = (kind === Kind.wait || kind === Kind.lost) && share > 0.001;
    top = Math.max(top, isRoundedUp ? Math.ceil(wished) : Math.round(wished));
    tops[place] = top;
  }
}
