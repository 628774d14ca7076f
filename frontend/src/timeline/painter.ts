import { subscribeTheme } from "../app/theme";
import { modelAround, type RunModel } from "../store/model";
import type { PastStore } from "../store/past";
import type { RunStore } from "../store/runStore";
import { BarsLayer, type Scale } from "./bars";
import { drawAxis, drawGround, drawOpen, drawOutlines, drawScroll, drawTexts } from "./drawLanes";
import { drawForecasts } from "./drawForecasts";
import { drawPastMisses } from "./drawMisses";
import { drawForecast, drawForecastAt, drawPastRates, drawPastSync } from "./drawSync";
import { clipPlot, clipTimes, fromS, toS, type Frame } from "./frame";
import { CALM_MS, GutterLayer } from "./gutters";
import { layOut, measure, plotWidth, type Layout } from "./layout";
import { makePalette, moveTextures, type Palette } from "./palette";
import { hit, type Selection } from "./selection";
import type { TimeView } from "./view";

/** Draws the timeline on its canvas; knows no React. */
export class TimelinePainter {
  layout: Layout;
  hover: Selection | null = null;
  selection: Selection | null = null;
  selectedNode: string | null = null;
  numWorkers = 0; // as the spec says; lanes are there before the workers are
  scrollY = 0;
  private readonly bars = new BarsLayer();
  private readonly gutters = new GutterLayer();
  private readonly ctx: CanvasRenderingContext2D | null;
  private palette: Palette | null = null;
  private ratio = 1;
  private laidOutKey = "";
  private settling: number | null = null; // the timer of the frame that shows what the view came to rest at
  private readonly forgetTheme: () => void;

  constructor(
    private readonly canvas: HTMLCanvasElement,
    private readonly store: RunStore,
    private readonly view: TimeView,
    private readonly request: () => void,
    private readonly headS: () => number | null = () => null, // what lies after it is hidden
  ) {
    this.ctx = canvas.getContext("2d", { alpha: false });
    this.layout = layOut(measure(300, 150), store.model, 0, 0);
    this.forgetTheme = subscribeTheme(() => {
      this.palette = null;
      request();
    });
  }

  dispose(): void {
    if (this.settling !== null) window.clearTimeout(this.settling);
    this.forgetTheme();
  }

  /** Take the size of the canvas in CSS pixels and the number of device pixels in one. */
  resize(width: number, height: number, ratio: number): void {
    if (ratio !== this.ratio) this.palette = null;
    this.ratio = ratio;
    this.canvas.width = Math.max(1, Math.round(width * ratio));
    this.canvas.height = Math.max(1, Math.round(height * ratio));
    this.layout = { ...this.layout, ...measure(width, height) };
    this.request();
  }

  /** Scroll the lanes; matters only when there are more than fit. */
  scrollBy(pixels: number): void {
    this.scrollY = this.layout.scrollY + pixels;
    this.request();
  }

  /** Give the time at a place of the canvas. */
  timeAt(x: number): number {
    const { left } = this.layout;
    return this.view.fromS + ((x - left) / plotWidth(this.layout)) * this.view.lengthS;
  }

  /** Give what is at a place of the canvas. */
  hitAt(x: number, y: number): Selection | null {
    const { left, width, right } = this.layout;
    const secondsPerPx = this.view.lengthS / plotWidth(this.layout);
    const lane = this.layout.lanes.find((one) => y + this.layout.scrollY >= one.y && y + this.layout.scrollY < one.y + one.pitch);
    const isHidden = this.timeAt(x) > (this.headS() ?? Infinity);
    if (!isHidden && x >= left && x <= width - right) {
      return hit(this.store.model, this.layout, y, this.timeAt(x), secondsPerPx, this.store.nowS());
    }
    return lane && y < this.layout.height - this.layout.axis ? { kind: "node", node: lane.id } : null;
  }

  /** Paint a frame; gives whether there was anything of the run to be seen. */
  paint(atMs: number): boolean {
    const { ctx, store, view, ratio } = this;
    if (!ctx || this.layout.width <= 0) return false;
    const palette = (this.palette ??= makePalette(ratio));
    const { width, height } = this.layout;
    this.layout = this.laidOut(width, height);
    this.scrollY = this.layout.scrollY;
    const scale = this.scale();
    const headS = this.headS();
    const frame: Frame = {
      ctx,
      model: store.model,
      layout: this.layout,
      palette,
      scale,
      nowS: headS ?? store.nowS(),
      isLive: store.isLive && headS === null,
      cursorS: view.cursorS,
      hover: this.hover,
      selection: this.selection,
      selectedNode: this.selectedNode,
    };
    const { past } = store;
    this.bars.past = past;
    const { stepS } = scale;
    if (past?.look(scale.origin * stepS, (scale.origin + scale.width) * stepS, stepS)) this.request();
    moveTextures(palette, scale);
    this.bars.paint(scale, this.layout, palette, store.model, atMs);
    ctx.setTransform(ratio, 0, 0, ratio, 0, 0);
    ctx.fillStyle = palette.surface;
    ctx.fillRect(0, 0, width, height);
    clipPlot(frame, () => {
      drawGround(frame);
      clipTimes(frame, -Infinity, headS ?? Infinity, () => {
        ctx.drawImage(this.bars.canvas, this.layout.left, 0, this.bars.canvas.width / ratio, this.bars.canvas.height / ratio);
        drawOpen(frame, headS !== null);
        if (past) this.drawParts(frame, past);
        else drawMoments(frame);
      });
      if (headS === null) drawForecast(frame);
      else drawForecastAt({ ...frame, model: modelAround(frame.model, headS) }, headS);
      drawOutlines(frame);
    });
    this.gutters.paint(frame, atMs, headS !== null);
    if (!this.bars.isSettled || !this.gutters.isSettled) this.settle();
    drawScroll(frame);
    drawAxis(frame);
    return store.model.workers.length > 0 && frame.nowS > 0 && (past === null || past.tiles.version > 0);
  }

  /** Ask for a later frame: figures and level of detail are held for a while, and must not stay behind a view that rests. */
  private settle(): void {
    this.settling ??= window.setTimeout(() => {
      this.settling = null;
      this.request();
    }, CALM_MS);
  }

  /** Give the lanes, which stay the same object while nothing has moved them. */
  private laidOut(width: number, height: number): Layout {
    const { store, numWorkers, scrollY } = this;
    const key = `${width} ${height} ${store.model.nodes.size} ${numWorkers} ${scrollY}`;
    if (key === this.laidOutKey) return this.layout;
    const layout = layOut(measure(width, height), store.model, numWorkers, scrollY);
    this.laidOutKey = `${width} ${height} ${store.model.nodes.size} ${numWorkers} ${layout.scrollY}`;
    return layout;
  }

  /** Draw what stands on the bars of a long run: each part from the fold that knows it. */
  private drawParts(frame: Frame, past: PastStore): void {
    const parts = past.segments.filter((part) => part.toS > fromS(frame) && part.fromS < toS(frame));
    const hasOverview = parts.some(({ model, toS }) => !model && toS > 0); // the server's lane then has one look from end to end
    for (const { fromS, toS, model } of parts) {
      if (!model) continue;
      const inside = model === frame.model ? frame : { ...frame, model, layout: layoutOf(frame.layout, model) };
      clipTimes(frame, fromS, toS, () => drawMoments(inside, !hasOverview));
    }
    if (!hasOverview) return;
    drawPastMisses(frame, past);
    drawPastRates(frame, past);
  }

  /** Columns are bound to the time grid, not to the view, so that a scrolling lane does not shimmer. */
  private scale(): Scale {
    const width = Math.max(1, Math.round(plotWidth(this.layout) * this.ratio));
    const stepS = this.view.lengthS / width;
    return { stepS, origin: Math.round(this.view.fromS / stepS), width, ratio: this.ratio };
  }
}

function drawMoments(frame: Frame, hasSync = true): void {
  drawTexts(frame);
  drawForecasts(frame);
  if (hasSync) drawPastSync(frame);
}

/** The same lanes with the nodes of another fold. */
function layoutOf(layout: Layout, model: RunModel): Layout {
  return { ...layout, lanes: layout.lanes.map((lane) => ({ ...lane, node: model.nodes.get(lane.id) ?? null })) };
}
