import { useEffect, useRef } from "react";
import { subscribeTheme } from "../app/theme";
import { shownS, useNews, type Session } from "../run/session";
import { measure, plotWidth, type Metrics } from "./layout";
import { gripAt, paintRun, RunColumns, type Grip } from "./runStrip";
import { makePalette, type Palette } from "./palette";
import { exactTime } from "./ticks";
import { watchSize } from "./watchSize";
import css from "./Timeline.module.css";

const PAN = 0.5;
const LEAST_WINDOW = 8; // CSS pixels that the window is wide at least, so that it can be taken hold of
const CALM_MS = 500; // the strip is drawn anew at most this often

/** The whole run as a strip, and the stretch that is seen as a window in it, which can be dragged and resized. */
export function Overview({ session }: { session: Session }) {
  useNews(session);
  const canvas = useRef<HTMLCanvasElement>(null);
  const { view, loop } = session;
  useEffect(() => {
    if (!canvas.current) return;
    const strip = new Strip(canvas.current, session);
    const forget = watchSize(canvas.current, (width, height, ratio) => strip.resize(width, height, ratio));
    const stop = loop.add((atMs) => strip.paint(atMs), true);
    const forgetTheme = subscribeTheme(() => strip.forgetPalette());
    return () => {
      strip.dispose();
      forget();
      stop();
      forgetTheme();
    };
  }, [session, loop]);
  const press = (event: KeyboardEvent) => {
    const by = { ArrowLeft: -PAN, ArrowRight: PAN, PageUp: -1, PageDown: 1 }[event.key];
    if (by === undefined) return;
    event.preventDefault();
    view.pan(by, true);
  };
  const nowS = session.store.nowS();
  return (
    <div className={css.strip}>
      <canvas
        ref={canvas}
        className={css.stripCanvas}
        tabIndex={0}
        role="slider"
        aria-label="Stretch of the run that is seen"
        aria-valuemin={0}
        aria-valuemax={Math.round(nowS)}
        aria-valuenow={Math.round(Math.max(0, view.fromS))}
        aria-valuetext={`from ${exactTime(view.fromS)} to ${exactTime(view.toS)}`}
        onKeyDown={press}
      />
      <span className={css.stripName} aria-hidden="true">
        whole run
      </span>
    </div>
  );
}

/** Paints the strip and listens to the pointer; knows no React. */
class Strip {
  private readonly picture = document.createElement("canvas");
  private readonly columns = new RunColumns();
  private palette: Palette | null = null;
  private metrics: Metrics = measure(300, 32);
  private ratio = 1;
  private drawn = "";
  private drawnMs = -Infinity;
  private held: { grip: Grip; x: number; fromS: number; toS: number } | null = null;

  constructor(
    private readonly canvas: HTMLCanvasElement,
    private readonly session: Session,
  ) {
    canvas.addEventListener("pointerdown", this.down);
    canvas.addEventListener("pointermove", this.move);
    canvas.addEventListener("pointerup", this.up);
    canvas.addEventListener("pointercancel", this.up);
    canvas.addEventListener("wheel", this.wheel, { passive: false });
  }

  dispose(): void {
    const { canvas } = this;
    canvas.removeEventListener("pointerdown", this.down);
    canvas.removeEventListener("pointermove", this.move);
    canvas.removeEventListener("pointerup", this.up);
    canvas.removeEventListener("pointercancel", this.up);
    canvas.removeEventListener("wheel", this.wheel);
  }

  resize(width: number, height: number, ratio: number): void {
    this.metrics = measure(width, height);
    this.ratio = ratio;
    this.palette = null;
    this.canvas.width = Math.max(1, Math.round(width * ratio));
    this.canvas.height = Math.max(1, Math.round(height * ratio));
    this.drawn = "";
    this.session.loop.request();
  }

  forgetPalette(): void {
    this.palette = null;
    this.drawn = "";
    this.session.loop.request();
  }

  /** Paint; gives whether the picture of the run has to be drawn anew a little later. */
  paint(atMs: number): boolean {
    const ctx = this.canvas.getContext("2d", { alpha: false });
    const { view } = this.session;
    const endS = this.endS;
    if (!ctx) return false;
    const palette = (this.palette ??= makePalette(this.ratio));
    const { metrics, ratio, canvas } = this;
    ctx.setTransform(1, 0, 0, 1, 0, 0);
    ctx.fillStyle = palette.surface;
    ctx.fillRect(0, 0, canvas.width, canvas.height);
    if (endS <= 0) {
      ctx.fillStyle = palette.sunken; // nothing has happened: only the ground
      ctx.fillRect(Math.round(metrics.left * ratio), 0, Math.round(plotWidth(metrics) * ratio), canvas.height);
      return false;
    }
    const isLate = this.repaintRun(atMs, endS, palette);
    ctx.drawImage(this.picture, Math.round(metrics.left * ratio), 0);
    ctx.setTransform(ratio, 0, 0, ratio, 0, 0);
    this.paintWindow(ctx, palette, view.fromS, view.toS);
    return isLate;
  }

  private repaintRun(atMs: number, endS: number, palette: Palette): boolean {
    const { store } = this.session;
    const { past } = store;
    const wish = `${endS} ${store.model.lastSeq} ${past?.tiles.version ?? ""} ${this.metrics.width}`;
    if (wish === this.drawn) return false;
    if (atMs - this.drawnMs < CALM_MS && this.drawn !== "") return true;
    this.drawn = wish;
    this.drawnMs = atMs;
    const width = Math.max(1, Math.round(plotWidth(this.metrics) * this.ratio));
    if (this.picture.width !== width) this.picture.width = width;
    if (this.picture.height !== this.canvas.height) this.picture.height = this.canvas.height;
    const ctx = this.picture.getContext("2d");
    const key = `${past?.tiles.version ?? ""} ${past?.untilS ?? ""}`;
    const columns = this.columns.columns(store.model, endS, key);
    if (ctx) paintRun(ctx, columns, this.columns.stepS, endS, this.metrics, this.ratio, palette);
    return false;
  }

  /** Dim what is not seen, and frame what is. */
  private paintWindow(ctx: CanvasRenderingContext2D, palette: Palette, fromS: number, toS: number): void {
    const { left, width, right, height } = this.metrics;
    const [low, high] = this.window(fromS, toS);
    const end = width - right;
    ctx.globalAlpha = 0.72;
    ctx.fillStyle = palette.surface;
    ctx.fillRect(left, 0, low - left, height);
    ctx.fillRect(high, 0, end - high, height);
    ctx.globalAlpha = 1;
    ctx.strokeStyle = palette.ink;
    ctx.lineWidth = 1;
    ctx.strokeRect(Math.round(low) + 0.5, 0.5, Math.max(1, Math.round(high - low) - 1), height - 1);
    ctx.fillStyle = palette.ink;
    for (const x of [low, high]) ctx.fillRect(Math.round(x) - 1, height / 2 - 6, 3, 12);
    const { headS } = this.session.playback;
    if (headS !== null) ctx.fillRect(Math.round(this.xOf(shownS(this.session))) - 1, 0, 2, height);
  }

  private get endS(): number {
    return this.session.store.nowS();
  }

  private xOf(atS: number): number {
    return this.metrics.left + (atS / this.endS) * plotWidth(this.metrics);
  }

  private window(fromS: number, toS: number): [number, number] {
    const { left, width, right } = this.metrics;
    const end = width - right;
    const low = Math.min(Math.max(left, this.xOf(fromS)), end - LEAST_WINDOW);
    const high = Math.min(end, this.xOf(toS));
    const missing = LEAST_WINDOW - (high - low);
    return missing > 0 ? [Math.max(left, low - missing / 2), Math.max(left, low - missing / 2) + LEAST_WINDOW] : [low, high];
  }

  private timeAt(x: number): number {
    return ((x - this.metrics.left) / plotWidth(this.metrics)) * this.endS;
  }

  private readonly down = (event: PointerEvent): void => {
    if (event.button !== 0 || this.endS <= 0) return;
    const { view } = this.session;
    this.canvas.setPointerCapture(event.pointerId);
    let { fromS, toS } = view;
    let grip = gripAt(event.offsetX, ...this.window(fromS, toS));
    if (grip === "outside") {
      const middleS = this.timeAt(event.offsetX); // it comes to the pointer, and can be dragged on
      const lengthS = Math.min(view.lengthS, this.endS);
      [fromS, toS] = [middleS - lengthS / 2, middleS + lengthS / 2];
      view.show(fromS, toS, false);
      grip = "window";
    }
    this.held = { grip, x: event.offsetX, fromS, toS };
  };

  private readonly move = (event: PointerEvent): void => {
    const { view } = this.session;
    const { held } = this;
    if (!held) {
      const grip = gripAt(event.offsetX, ...this.window(view.fromS, view.toS));
      this.canvas.style.cursor = grip === "window" ? "grab" : grip === "outside" ? "pointer" : "ew-resize";
      return;
    }
    const byS = this.timeAt(event.offsetX) - this.timeAt(held.x);
    const fromS = held.grip === "right" ? held.fromS : held.fromS + byS;
    const toS = held.grip === "left" ? held.toS : held.toS + byS;
    view.show(Math.min(fromS, toS), Math.max(fromS, toS), false);
  };

  private readonly up = (): void => {
    this.held = null;
  };

  private readonly wheel = (event: WheelEvent): void => {
    event.preventDefault();
    const delta = Math.abs(event.deltaX) > Math.abs(event.deltaY) ? event.deltaX : event.deltaY;
    this.session.view.pan((delta * (event.deltaMode === WheelEvent.DOM_DELTA_LINE ? 16 : 1)) / 800);
  };
}
