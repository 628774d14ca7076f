import { lowerBound } from "./search";
import { enlarge } from "./series";

const FIRST_CAPACITY = 32;

/** Rows of numbers with a time, sorted by time: for what happens less often than spans. O(1) amortised to add. */
export class Table<Column extends string> {
  length = 0;
  at = new Float64Array(FIRST_CAPACITY);
  private readonly names: readonly Column[];
  private readonly columns = new Map<Column, Float64Array>();

  constructor(names: readonly Column[]) {
    this.names = names;
    for (const name of names) this.columns.set(name, new Float64Array(FIRST_CAPACITY));
  }

  /** Add a row at its place and give its index; equal times keep the order in which they came. */
  add(atS: number, row: Readonly<Record<Column, number>>): number {
    if (this.length === this.at.length) this.grow();
    let i = this.length++;
    while (i > 0 && (this.at[i - 1] as number) > atS) i -= 1;
    this.at.copyWithin(i + 1, i, this.length - 1);
    this.at[i] = atS;
    for (const name of this.names) {
      const column = this.column(name);
      column.copyWithin(i + 1, i, this.length - 1);
      column[i] = row[name];
    }
    return i;
  }

  /** Give the backing array of a column; only its first `length` entries mean something. */
  column(name: Column): Float64Array {
    return this.columns.get(name) as Float64Array;
  }

  get(i: number, name: Column): number {
    return this.column(name)[i] as number;
  }

  set(i: number, name: Column, value: number): void {
    this.column(name)[i] = value;
  }

  /** Give the index of the first row at or after `atS`. */
  indexAt(atS: number): number {
    return lowerBound(this.at, this.length, atS);
  }

  /** Let go of the first `num` rows. */
  forget(num: number): void {
    if (num <= 0) return;
    this.at.copyWithin(0, num, this.length);
    for (const column of this.columns.values()) column.copyWithin(0, num, this.length);
    this.length -= num;
  }

  private grow(): void {
    const capacity = this.at.length * 2;
    this.at = enlarge(this.at, new Float64Array(capacity));
    for (const name of this.names) this.columns.set(name, enlarge(this.column(name), new Float64Array(capacity)));
  }
}
