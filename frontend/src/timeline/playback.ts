/** Plays a run back: what lies after the play-head is not shown. */

import type { TimeView } from "./view";

export const SPEEDS = [1, 2, 4, 8, 16, 32, 64] as const; // seconds of the run in a second
const HEAD_SHARE = 0.86; // of the width, at which the view begins to move with the play-head
const LONGEST_STEP_S = 0.25; // of a frame; a hidden tab does not make it jump

export class Playback {
  headS: number | null = null; // null: everything is shown
  isPlaying = false;
  speed: number = SPEEDS[0];
  private tickedMs: number | null = null;

  constructor(
    private readonly view: TimeView,
    private readonly onChange: () => void, // of what the controls show
  ) {}

  /** Play from the left edge of what is seen, or go on where it was paused in sight. */
  play(endS: number): void {
    const { fromS, toS } = this.view;
    const isInSight = this.headS !== null && this.headS >= fromS && this.headS < Math.min(toS, endS);
    if (!isInSight) this.headS = Math.max(0, fromS);
    if ((this.headS ?? 0) >= endS) this.headS = 0;
    this.isPlaying = true;
    this.tickedMs = null;
    this.view.hold();
    this.onChange();
  }

  pause(): void {
    this.isPlaying = false;
    this.onChange();
  }

  toggle(endS: number): void {
    if (this.isPlaying) this.pause();
    else this.play(endS);
  }

  /** Show everything again. */
  stop(): void {
    if (this.headS === null) return;
    this.isPlaying = false;
    this.headS = null;
    this.onChange();
  }

  setSpeed(speed: number): void {
    this.speed = speed;
    this.onChange();
  }

  /** Move the play-head on; gives whether it moves. */
  tick(atMs: number, endS: number): boolean {
    if (!this.isPlaying || this.headS === null) return false;
    const passedS = this.tickedMs === null ? 0 : Math.min(LONGEST_STEP_S, (atMs - this.tickedMs) / 1000);
    this.tickedMs = atMs;
    this.headS += passedS * this.speed;
    if (this.headS >= endS) {
      this.stop();
      return false;
    }
    const aheadS = this.headS - (this.view.fromS + HEAD_SHARE * this.view.lengthS);
    if (aheadS > 0) this.view.pan(aheadS / this.view.lengthS);
    return true;
  }
}
