/** Binary search over the first `length` entries of a sorted column. */

/** Give the first index whose value is >= `x`; `length` if there is none. */
export function lowerBound(column: Float64Array, length: number, x: number): number {
  let low = 0;
  let high = length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((column[middle] as number) < x) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** Give the first index whose value is > `x`; `length` if there is none. */
export function upperBound(column: Float64Array, length: number, x: number): number {
  let low = 0;
  let high = length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((column[middle] as number) <= x) low = middle + 1;
    else high = middle;
  }
  return low;
}
