/** The stretch of time that is seen: shared by the timeline and the charts below it. */

export const MIN_LENGTH_S = 0.002;
const FIRST_LENGTH_S = 30;
const FUTURE_SHARE = 0.14; // of the width, right of now, for what is predicted
const GLIDE_S = 0.07; // time constant of a keyboard zoom or pan

interface Range {
  fromS: number;
  lengthS: number;
}

/**
 * Zoom, pan and follow.
 *
 * While following a live run the right edge stays a little ahead of now; an ended run is seen whole. A zoom or
 * pan by hand ends the following (a zoom at the right edge does not). `tick` moves the view, once a frame.
 */
export class TimeView {
  fromS = 0;
  lengthS = FIRST_LENGTH_S; // kept as it is, to the bit, while the view only moves
  isFollowing = true;
  private cursorShare: number | null = null; // of the width, left of the pointer
  private aim: Range | null = null; // where a glide goes to
  private followS = FIRST_LENGTH_S; // length that is followed
  private endS = 0; // the latest time there is
  private isLive = false;
  private tickedMs: number | null = null;
  private isUntouched = true;
  private restored: Range | null = null; // to be shown as soon as anything is known of the run

  constructor(
    private readonly onChange: () => void,
    private readonly mayGlide: () => boolean = () => true,
  ) {}

  get toS(): number {
    return this.fromS + this.lengthS;
  }

  /** Whether anything is known of the run, so that the view means something. */
  get isReady(): boolean {
    return this.endS > 0 && this.restored === null;
  }

  /** Move to what should be seen at this frame; gives whether it is still moving. */
  tick(atMs: number, nowS: number, isLive: boolean): boolean {
    if (nowS <= 0) return false;
    if (this.restored) {
      this.endS = nowS;
      this.go(this.restored, false);
      this.restored = null;
    }
    const passedS = this.tickedMs === null ? 0 : Math.min(0.1, (atMs - this.tickedMs) / 1000);
    this.tickedMs = atMs;
    this.endS = nowS;
    this.isLive = isLive;
    if (this.isFollowing) this.aim = this.followed(nowS, isLive);
    const { aim } = this;
    if (!aim) return false;
    const isFirst = passedS === 0;
    const part = this.mayGlide() && !isFirst ? 1 - Math.exp(-passedS / GLIDE_S) : 1;
    const isScrolling = this.isFollowing && isLive && Math.abs(this.lengthS / aim.lengthS - 1) < 1e-3;
    if (isScrolling && Math.abs(aim.fromS - this.fromS) < this.lengthS / 20) this.place(aim);
    else {
      const lengthS = this.lengthS + (aim.lengthS - this.lengthS) * part;
      this.place({ fromS: this.fromS + (aim.fromS - this.fromS) * part, lengthS });
    }
    const isThere = Math.abs(aim.fromS - this.fromS) + Math.abs(aim.lengthS - this.lengthS) < this.lengthS / 1e4;
    if (isThere) {
      this.place(aim);
      this.aim = null;
    }
    return !isThere || (this.isFollowing && isLive);
  }

  /** Zoom by a factor (< 1 = closer) around a time that stays where it is. */
  zoom(factor: number, aroundS: number, isGliding = false): void {
    const { fromS, lengthS: oldS } = this.goal();
    const newS = Math.min(Math.max(oldS * factor, MIN_LENGTH_S), this.longestS());
    if (this.isFollowing && this.isLive && aroundS >= this.endS - oldS * 0.02) {
      this.isUntouched = false;
      this.followS = newS;
      this.onChange();
      return;
    }
    const leftS = aroundS - (aroundS - fromS) * (newS / oldS);
    this.go({ fromS: leftS, lengthS: newS }, isGliding);
  }

  /** Zoom around the middle, or, while following, around now. */
  zoomByKey(factor: number): void {
    const { fromS, lengthS } = this.goal();
    this.zoom(factor, this.cursorS ?? (this.isFollowing && this.isLive ? this.endS : fromS + lengthS / 2), true);
  }

  /** Move by a share of the visible length; > 0 = later. */
  pan(share: number, isGliding = false): void {
    const { fromS, lengthS } = this.goal();
    this.go({ fromS: fromS + share * lengthS, lengthS }, isGliding);
  }

  /** Show a stretch of time. */
  show(fromS: number, toS: number, isGliding = true): void {
    this.go({ fromS, lengthS: toS - fromS }, isGliding);
  }

  /** Show a stretch at once, or as soon as there is anything: a link that was opened. */
  restore(fromS: number, toS: number): void {
    if (!(toS > fromS)) return;
    this.isFollowing = false;
    this.isUntouched = false;
    const range = { fromS, lengthS: toS - fromS };
    if (this.endS > 0) this.go(range, false);
    else {
      this.restored = range;
      this.onChange();
    }
  }

  /** Follow no longer; what is seen stays. */
  hold(): void {
    this.isFollowing = false;
    this.aim = null;
    this.onChange();
  }

  /** Bring a time into sight, if it is not. */
  reveal(atS: number): void {
    const { fromS, lengthS } = this.goal();
    if (atS < fromS || atS > fromS + lengthS) this.go({ fromS: atS - lengthS / 2, lengthS }, true);
  }

  /** Follow now; an ended run is shown whole. */
  follow(): void {
    this.isFollowing = true;
    this.onChange();
  }

  /** Propose a length to follow that suits the run; ignored once the reader has chosen one. */
  suggest(lengthS: number): void {
    if (!this.isUntouched) return;
    this.isUntouched = false;
    this.followS = lengthS;
    this.onChange();
  }

  /** The time under the pointer, which changes while the view scrolls; null when it points elsewhere. */
  get cursorS(): number | null {
    return this.cursorShare === null ? null : this.fromS + this.cursorShare * this.lengthS;
  }

  /** Say where the pointer is, in shares of the width. */
  setCursor(share: number | null): void {
    if (share === this.cursorShare) return;
    this.cursorShare = share;
    this.onChange();
  }

  private followed(nowS: number, isLive: boolean): Range {
    if (!isLive) {
      const marginS = Math.max(nowS * 0.01, MIN_LENGTH_S);
      return { fromS: -marginS, lengthS: Math.max(nowS, 1) + 2 * marginS };
    }
    return { fromS: Math.max(nowS - this.followS * (1 - FUTURE_SHARE), 0), lengthS: this.followS };
  }

  private goal(): Range {
    return this.aim ?? { fromS: this.fromS, lengthS: this.lengthS };
  }

  private longestS(): number {
    return Math.max(60, this.endS * 1.2);
  }

  private go(range: Range, isGliding: boolean): void {
    if (this.endS <= 0) return; // nothing to move in yet
    const lengthS = Math.min(Math.max(range.lengthS, MIN_LENGTH_S), this.longestS());
    const earliestS = Math.min(0, this.endS - lengthS) - lengthS * 0.25;
    const latestS = this.endS - lengthS * 0.25; // some of the run always stays in sight
    const fromS = Math.min(Math.max(range.fromS, earliestS), Math.max(latestS, earliestS));
    this.isFollowing = false;
    this.isUntouched = false;
    this.followS = Math.max(lengthS, 0.5);
    this.aim = { fromS, lengthS };
    if (!isGliding || !this.mayGlide()) {
      this.place(this.aim);
      this.aim = null;
    }
    this.onChange();
  }

  private place({ fromS, lengthS }: Range): void {
    this.fromS = fromS;
    this.lengthS = lengthS;
  }
}
