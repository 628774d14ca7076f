/** Wheel, drag, pinch and pointing on the timeline. */

import { plotWidth } from "./layout";
import type { TimelinePainter } from "./painter";
import { isSame, type Selection } from "./selection";
import type { TimeView } from "./view";

const DRAG_FROM = 4; // CSS pixels that a click may tremble
const WHEEL_ZOOM = 0.0016; // of the exponent for each pixel of the wheel
const PINCH_ZOOM = 0.01; // the same for a trackpad's pinch, which comes as a wheel with Ctrl

const REST_MS = 120; // after which a view that was moved is at rest

export interface GestureEvents {
  onHover: (selection: Selection | null, x: number, y: number) => void;
  onSelect: (selection: Selection | null) => void;
}

interface Pointer {
  x: number;
  y: number;
}

export class Gestures {
  private readonly pointers = new Map<number, Pointer>();
  private start: Pointer | null = null;
  private isDragging = false;
  private pointed: Pointer | null = null; // where a pointer rests that holds nothing
  private isTold = false; // what it points at
  private seen = "";
  private restTimer: ReturnType<typeof setTimeout> | undefined;

  constructor(
    private readonly canvas: HTMLCanvasElement,
    private readonly painter: TimelinePainter,
    private readonly view: TimeView,
    private readonly events: GestureEvents,
  ) {
    canvas.addEventListener("wheel", this.wheel, { passive: false });
    canvas.addEventListener("pointerdown", this.down);
    canvas.addEventListener("pointermove", this.move);
    canvas.addEventListener("pointerup", this.up);
    canvas.addEventListener("pointercancel", this.cancel);
    canvas.addEventListener("pointerleave", this.leave);
    canvas.addEventListener("dblclick", this.doubleClick);
  }

  dispose(): void {
    const { canvas } = this;
    clearTimeout(this.restTimer);
    canvas.removeEventListener("wheel", this.wheel);
    canvas.removeEventListener("pointerdown", this.down);
    canvas.removeEventListener("pointermove", this.move);
    canvas.removeEventListener("pointerup", this.up);
    canvas.removeEventListener("pointercancel", this.cancel);
    canvas.removeEventListener("pointerleave", this.leave);
    canvas.removeEventListener("dblclick", this.doubleClick);
  }

  /** Tell after each frame: where the view moves under a pointer, what is pointed at is looked up once it rests. */
  painted(): void {
    const seen = `${this.view.fromS} ${this.view.lengthS}`;
    if (seen === this.seen) return;
    this.seen = seen;
    if (this.view.isFollowing) return; // it moves on without a rest
    clearTimeout(this.restTimer);
    if (this.isTold) this.forgetHover();
    this.restTimer = setTimeout(() => {
      if (this.pointed) this.hover(this.pointed);
    }, REST_MS);
  }

  private forgetHover(): void {
    this.isTold = false;
    this.painter.hover = null;
    this.events.onHover(null, 0, 0);
  }

  private readonly wheel = (event: WheelEvent): void => {
    event.preventDefault();
    const { left } = this.painter.layout;
    const unit = event.deltaMode === WheelEvent.DOM_DELTA_LINE ? 16 : 1;
    const { x } = place(event);
    const isSideways = event.shiftKey || Math.abs(event.deltaX) > Math.abs(event.deltaY);
    if (isSideways && !event.ctrlKey) {
      const delta = event.deltaX === 0 ? event.deltaY : event.deltaX;
      this.view.pan((delta * unit) / plotWidth(this.painter.layout));
    } else if (x < left || event.altKey) this.painter.scrollBy(event.deltaY * unit);
    else this.view.zoom(Math.exp(event.deltaY * unit * (event.ctrlKey ? PINCH_ZOOM : WHEEL_ZOOM)), this.painter.timeAt(x));
  };

  private readonly down = (event: PointerEvent): void => {
    if (event.button !== 0) return;
    this.canvas.setPointerCapture(event.pointerId);
    this.pointers.set(event.pointerId, place(event));
    this.pointed = null;
    this.start = place(event);
    this.isDragging = this.pointers.size > 1;
  };

  private readonly move = (event: PointerEvent): void => {
    const here = place(event);
    const before = this.pointers.get(event.pointerId);
    if (!before) {
      this.hover(here);
      return;
    }
    if (!this.isDragging && this.start) {
      if (Math.hypot(here.x - this.start.x, here.y - this.start.y) < DRAG_FROM) return;
      this.isDragging = true;
      this.forgetHover();
    }
    const width = plotWidth(this.painter.layout);
    if (this.pointers.size === 2) this.pinch(event.pointerId, before, here);
    else {
      this.view.pan((before.x - here.x) / width);
      if (before.y !== here.y) this.painter.scrollBy(before.y - here.y);
    }
    this.pointers.set(event.pointerId, here);
  };

  private pinch(id: number, before: Pointer, here: Pointer): void {
    const other = [...this.pointers].find(([one]) => one !== id)?.[1];
    if (!other) return;
    const distance = (a: Pointer) => Math.max(20, Math.abs(a.x - other.x));
    this.view.zoom(distance(before) / distance(here), this.painter.timeAt((here.x + other.x) / 2));
    this.view.pan((before.x - here.x) / 2 / plotWidth(this.painter.layout));
  }

  private readonly up = (event: PointerEvent): void => {
    const isClick = this.pointers.delete(event.pointerId) && !this.isDragging;
    if (!isClick) return;
    const { x, y } = place(event);
    this.events.onSelect(this.painter.hitAt(x, y));
  };

  private readonly cancel = (event: PointerEvent): void => {
    this.pointers.delete(event.pointerId);
    this.isDragging = true;
  };

  private readonly leave = (event: PointerEvent): void => {
    if (this.pointers.has(event.pointerId)) return;
    this.view.setCursor(null);
    this.pointed = null;
    this.forgetHover();
  };

  private readonly doubleClick = (event: MouseEvent): void => {
    const { x } = place(event);
    if (x > this.painter.layout.left) this.view.zoom(0.25, this.painter.timeAt(x), true);
  };

  private hover({ x, y }: Pointer): void {
    const { left, right, width } = this.painter.layout;
    const isPlot = x >= left && x <= width - right;
    this.pointed = { x, y };
    this.isTold = true;
    this.view.setCursor(isPlot ? (x - left) / plotWidth(this.painter.layout) : null);
    const selection = this.painter.hitAt(x, y);
    if (!isSame(selection, this.painter.hover)) this.painter.hover = selection;
    this.canvas.style.cursor = selection ? "pointer" : isPlot ? "crosshair" : "default";
    this.events.onHover(selection, x, y);
  }
}

function place(event: MouseEvent): Pointer {
  return { x: event.offsetX, y: event.offsetY };
}
