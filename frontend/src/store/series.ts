import { lowerBound } from "./search";

const FIRST_CAPACITY = 64;
const STRIDE = 32; // values between two stored partial sums

/**
 * Numbers with a time, sorted by time.
 *
 * Adding at the end is O(1) amortised; a late value is moved to its place. The sum over any stretch of time
 * costs two binary searches and at most two strides, so that a chart of a million values is drawn from one
 * mean for each pixel.
 */
export class TimeSeries {
  length = 0;
  at = new Float64Array(FIRST_CAPACITY);
  value = new Float64Array(FIRST_CAPACITY);
  private sums = new Float64Array(FIRST_CAPACITY / STRIDE + 1); // sums[k] = sum of value[0 .. k * STRIDE)
  private numSums = 1; // entries of `sums` that are up to date

  /** Add a value; equal times keep the order in which they came. */
  add(atS: number, value: number): void {
    if (this.length === this.at.length) this.grow();
    let i = this.length++;
    while (i > 0 && (this.at[i - 1] as number) > atS) {
      this.at[i] = this.at[i - 1] as number;
      this.value[i] = this.value[i - 1] as number;
      i -= 1;
    }
    this.at[i] = atS;
    this.value[i] = value;
    this.numSums = Math.min(this.numSums, Math.floor(i / STRIDE) + 1);
  }

  /** The newest value, or null. */
  get last(): number | null {
    return this.length === 0 ? null : (this.value[this.length - 1] as number);
  }

  /** Give the index of the first value at or after `atS`. */
  indexAt(atS: number): number {
    return lowerBound(this.at, this.length, atS);
  }

  /** Give the newest value at or before `atS`, or null. */
  valueAt(atS: number): number | null {
    const i = this.indexAt(atS);
    if (i < this.length && this.at[i] === atS) return this.value[i] as number;
    return i === 0 ? null : (this.value[i - 1] as number);
  }

  /** Sum the values with index in [from, to). */
  sum(from: number, to: number): number {
    return this.sumTo(to) - this.sumTo(from);
  }

  /** Give the mean of the values in [fromS, toS), or null where there is none. */
  mean(fromS: number, toS: number): number | null {
    const from = this.indexAt(fromS);
    const to = this.indexAt(toS);
    return to > from ? this.sum(from, to) / (to - from) : null;
  }

  /** Let go of what lies before `untilS`, but for the last value. */
  forget(untilS: number): void {
    const num = Math.min(this.indexAt(untilS), this.length - 1);
    if (num <= 0) return;
    this.at.copyWithin(0, num, this.length);
    this.value.copyWithin(0, num, this.length);
    this.length -= num;
    this.numSums = 1;
  }

  private sumTo(end: number): number {
    const k = Math.floor(end / STRIDE);
    for (let block = this.numSums; block <= k; block++) {
      let sum = this.sums[block - 1] as number;
      for (let i = (block - 1) * STRIDE; i < block * STRIDE; i++) sum += this.value[i] as number;
      this.sums[block] = sum;
    }
    this.numSums = Math.max(this.numSums, k + 1);
    let sum = this.sums[k] as number;
    for (let i = k * STRIDE; i < end; i++) sum += this.value[i] as number;
    return sum;
  }

  private grow(): void {
    const capacity = this.at.length * 2;
    this.at = enlarge(this.at, new Float64Array(capacity));
    this.value = enlarge(this.value, new Float64Array(capacity));
    this.sums = enlarge(this.sums, new Float64Array(capacity / STRIDE + 1));
  }
}

/** Copy `from` to the beginning of `to`. */
export function enlarge<T extends Float64Array | Float32Array | Int32Array | Uint32Array | Uint8Array>(from: T, to: T): T {
  to.set(from);
  return to;
}
