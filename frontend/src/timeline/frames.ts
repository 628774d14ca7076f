/** Draws something; gives whether it wants the next frame, too. */
export type Painter = (atMs: number) => boolean;

/**
 * One loop of animation frames for the whole page: everything that is drawn in a frame shows the same instant.
 * It rests while nobody asks for a frame.
 */
export class FrameLoop {
  private readonly painters = new Set<Painter>();
  private handle: number | null = null;

  /** Paint with this painter from now on; the answer takes it out again. */
  add(painter: Painter): () => void {
    this.painters.add(painter);
    this.request();
    return () => this.painters.delete(painter);
  }

  /** Ask for one frame. */
  readonly request = (): void => {
    this.handle ??= requestAnimationFrame(this.paint);
  };

  stop(): void {
    if (this.handle !== null) cancelAnimationFrame(this.handle);
    this.handle = null;
    this.painters.clear();
  }

  private readonly paint = (atMs: number): void => {
    this.handle = null;
    let isMoreWanted = false;
    for (const painter of this.painters) if (painter(atMs)) isMoreWanted = true;
    if (isMoreWanted) this.request();
  };
}
