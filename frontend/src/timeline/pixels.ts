/** Pixels of the lanes, written one by one: the many thousand small rectangles of a frame are too many for a canvas. */

/** A square that is repeated in both directions. */
export interface Texture {
  period: number; // device pixels
  words: Uint32Array; // row by row
}

export class Pixels {
  width = 0;
  height = 0;
  words = new Uint32Array(0); // row by row; 0 is transparent
  private low = 0; // columns that are written now: [low, high)
  private high = 0;

  /** Begin anew in the columns [low, high) of a picture of this size. */
  open(width: number, height: number, low: number, high: number): void {
    if (width !== this.width || height !== this.height) {
      this.words = new Uint32Array(width * height);
      this.width = width;
      this.height = height;
    }
    this.low = Math.max(0, low);
    this.high = Math.min(width, high);
    for (let at = 0; at < this.words.length; at += width) this.words.fill(0, at + this.low, at + this.high);
  }

  /** Fill a rectangle, as far as it lies in the columns that are written. */
  fill(x: number, y: number, width: number, height: number, word: number): void {
    const left = Math.max(x, this.low);
    const right = Math.min(x + width, this.high);
    const bottom = Math.min(y + height, this.height);
    for (let row = Math.max(0, y); row < bottom; row++) {
      const line = row * this.width;
      for (let at = line + left; at < line + right; at++) this.words[at] = word;
    }
  }

  /** Fill a rectangle with a texture, which is bound to the time grid: `origin` columns lie between time 0 and column 0. */
  weave(x: number, y: number, width: number, height: number, texture: Texture, origin: number): void {
    const { period, words } = texture;
    const left = Math.max(x, this.low);
    const right = Math.min(x + width, this.high);
    const bottom = Math.min(y + height, this.height);
    const first = (((origin + left) % period) + period) % period;
    for (let row = Math.max(0, y); row < bottom; row++) {
      const line = row * this.width;
      const texels = (row % period) * period;
      let place = first;
      for (let at = line + left; at < line + right; at++) {
        this.words[at] = words[texels + place] as number;
        place = place + 1 === period ? 0 : place + 1;
      }
    }
  }

  /** Replace these columns of a canvas of the same size. */
  put(ctx: CanvasRenderingContext2D): void {
    if (this.high <= this.low) return;
    const image = new ImageData(new Uint8ClampedArray(this.words.buffer), this.width, this.height);
    ctx.putImageData(image, 0, 0, this.low, 0, this.high - this.low, this.height);
  }
}

/** Give the word of an opaque colour, as the memory of a canvas holds it. */
export function wordOf(red: number, green: number, blue: number): number {
  return ((255 << 24) | (blue << 16) | (green << 8) | red) >>> 0;
}
