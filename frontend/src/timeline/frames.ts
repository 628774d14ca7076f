/** Draws something; gives whether it wants the next frame, too. */
export type Painter = (atMs: number) => boolean;

/**
 * One loop of animation frames for the whole page: everything that is drawn in a frame shows the same instant.
 * It rests while nobody asks for a frame.
 *
 * A page opens with its lanes: painters that are late, and whoever listens, follow once the lanes have been seen.
 */
export class FrameLoop {
  private readonly painters = new Set<Painter>();
  private readonly latePainters = new Set<Painter>();
  private readonly listeners = new Set<() => void>();
  private handle: number | null = null;
  private isOpen = false;
  private isTold = false;

  /** Paint with this painter from now on; the answer takes it out again. */
  add(painter: Painter, isLate = false): () => void {
    const painters = isLate ? this.latePainters : this.painters;
    painters.add(painter);
    this.request();
    return () => painters.delete(painter);
  }

  /** Say that the lanes are painted: what is late follows in the next frame. */
  readonly open = (): void => {
    if (this.isOpen) return;
    this.isOpen = true;
    this.request();
  };

  /** Tell when the first late frame is over, at once if it is; the answer ends the waiting. */
  whenOpen(listener: () => void): () => void {
    if (this.isTold) listener();
    else this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  /** Ask for one frame. */
  readonly request = (): void => {
    this.handle ??= requestAnimationFrame(this.paint);
  };

  stop(): void {
    if (this.handle !== null) cancelAnimationFrame(this.handle);
    this.handle = null;
    this.painters.clear();
    this.latePainters.clear();
  }

  private readonly paint = (atMs: number): void => {
    this.handle = null;
    const { isOpen } = this; // it may become so in this frame, which then ends before anything late
    let isMoreWanted = false;
    for (const painter of this.painters) if (painter(atMs)) isMoreWanted = true;
    if (isOpen) for (const painter of this.latePainters) if (painter(atMs)) isMoreWanted = true;
    if (isMoreWanted) this.request();
    if (isOpen && !this.isTold) this.tell();
  };

  private tell(): void {
    this.isTold = true;
    for (const listener of this.listeners) listener();
    this.listeners.clear();
  }
}
