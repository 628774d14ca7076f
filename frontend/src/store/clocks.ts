/** The workers' clocks and the slowest of them. O(1) amortised to advance one. */
export class Clocks {
  private readonly clocks = new Map<number, number>();
  private slowest = 0;
  private numSlowest = 0; // workers whose clock is the slowest

  /** The slowest clock; 0 without workers. */
  get min(): number {
    return this.slowest;
  }

  set(worker: number, clock: number): void {
    const before = this.clocks.get(worker);
    this.clocks.set(worker, clock);
    if (before === this.slowest && clock > before && this.numSlowest > 1) this.numSlowest -= 1;
    else if (before === undefined || before === this.slowest || clock <= this.slowest) this.recount();
  }

  remove(worker: number): void {
    if (this.clocks.delete(worker)) this.recount();
  }

  clear(): void {
    this.clocks.clear();
    this.recount();
  }

  /** Give the worker's clock minus the slowest one; 0 for a worker that is not there. */
  lead(worker: number): number {
    return (this.clocks.get(worker) ?? this.slowest) - this.slowest;
  }

  /** Give the workers whose clock is the slowest, in order. */
  behind(): number[] {
    return [...this.clocks].filter(([, clock]) => clock === this.slowest).map(([worker]) => worker);
  }

  private recount(): void {
    this.slowest = 0;
    this.numSlowest = 0;
    for (const clock of this.clocks.values()) {
      if (this.numSlowest === 0 || clock < this.slowest) {
        this.slowest = clock;
        this.numSlowest = 1;
      } else if (clock === this.slowest) this.numSlowest += 1;
    }
  }
}
