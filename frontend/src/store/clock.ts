const SETTLE_S = 0.5; // time constant in which a corrected clock glides to its new value
const JUMP_S = 3; // a larger correction (a resumed run, a computer that slept) is made at once
const BUCKET_S = 30; // of batches that are judged together

/**
 * The run's clock as this browser can know it: events come in batches, yet the now-line has to move evenly.
 *
 * The offset between the run's seconds and the browser's is the least that any of the last batches showed (the one
 * that travelled fastest); of the last ones, since two computers' clocks drift, and one may sleep. While batches stop coming, so does the clock, after a grace period: no line runs ahead of
 * a run that nothing is heard of.
 */
export class LiveClock {
  private offsetS = Infinity; // browser seconds minus run seconds, the least of this bucket
  private olderS = Infinity; // and of the one before
  private bucketS = -Infinity; // browser seconds of this bucket's first batch
  private shownS: number | null = null; // run seconds shown last
  private shownAtS = 0; // browser seconds at that moment
  private heardAtS = 0; // browser seconds of the newest batch
  private newestS = 0; // run seconds of the newest event

  constructor(private readonly graceS = 5) {}

  /** Learn that an event of `runS` run seconds was received at `browserS`. */
  observe(runS: number, browserS: number): void {
    const offsetS = browserS - runS;
    const ageS = browserS - this.bucketS;
    if (ageS >= BUCKET_S) {
      this.olderS = ageS < 2 * BUCKET_S ? this.offsetS : Infinity;
      this.offsetS = Infinity;
      this.bucketS = browserS;
    }
    this.offsetS = Math.min(this.offsetS, offsetS);
    this.heardAtS = browserS;
    this.newestS = Math.max(this.newestS, runS);
  }

  /** Forget the offset, e.g. when the run starts anew: its pause is not part of its time. */
  reset(): void {
    this.bucketS = -Infinity;
    this.shownS = null;
  }

  /** Give the run's time at `browserS`; never before the newest event, and falling only where it was seconds ahead. */
  now(browserS: number): number {
    if (this.bucketS === -Infinity) return this.newestS;
    const heardS = Math.min(browserS, this.heardAtS + this.graceS);
    const aimS = Math.max(this.newestS, heardS - Math.min(this.offsetS, this.olderS));
    if (this.shownS === null || Math.abs(aimS - this.shownS) > JUMP_S) this.shownS = aimS;
    else {
      const passedS = Math.max(0, heardS - this.shownAtS);
      const expectedS = this.shownS + passedS;
      const glide = 1 - Math.exp(-passedS / SETTLE_S);
      this.shownS = Math.max(this.shownS, expectedS + (aimS - expectedS) * glide, this.newestS);
    }
    this.shownAtS = browserS;
    return this.shownS;
  }
}
