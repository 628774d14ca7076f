/** A picture on the page: axes, zoom and a label for the point under the pointer. */

import uPlot from "uplot";
import "uplot/dist/uPlot.min.css";
import { exactNumber } from "../format";
import { drawPicture } from "./draw";
import type { Colours } from "./figures";
import { closest, evenMarks, logMarks, rangesOf, stepOf, type Axis, type Found, type Picture, type Range } from "./picture";
import css from "./Figure.module.css";

const HEIGHT = 280; // px, as the stylesheet says
const REACH = 28; // px from the pointer to a point that is labelled
const MARK_PX = { x: 56, y: 44 }; // between two marks of an axis, about

/* uPlot's enum is ambient and const: its names cannot be used here. */
/* eslint-disable @typescript-eslint/no-unsafe-enum-assignment */
const LINEAR: uPlot.Scale.Distr = 1;
const LOGARITHMIC: uPlot.Scale.Distr = 3;
/* eslint-enable */

interface Looks {
  colours: Colours;
  face: string;
}

export class Plot {
  readonly #plot: uPlot;
  readonly #label = document.createElement("div");
  readonly #observer: ResizeObserver;
  #picture: Picture;
  #isZoomed = false;
  #active: Found | null = null;

  constructor(
    private readonly box: HTMLElement,
    picture: Picture,
    looks: Looks,
    private readonly onZoom: (isZoomed: boolean) => void,
  ) {
    this.#picture = picture;
    this.#plot = new uPlot(this.#options(looks), [[0, 1], [null, null]], box);
    this.#label.className = css.label ?? "";
    this.#label.hidden = true;
    this.#plot.over.append(this.#label);
    this.#plot.over.addEventListener("pointermove", this.#point);
    this.#plot.over.addEventListener("pointerleave", () => this.#activate(null));
    this.#fit();
    this.#observer = new ResizeObserver(() => {
      if (box.clientWidth > 0 && box.clientWidth !== this.#plot.width) this.#plot.setSize({ width: box.clientWidth, height: HEIGHT });
    });
    this.#observer.observe(box);
  }

  /** Draw another picture; a zoom stays. */
  show(picture: Picture): void {
    this.#picture = picture;
    this.#activate(null);
    if (this.#isZoomed) this.#plot.redraw();
    else this.#fit();
  }

  /** Show everything again. */
  reset(): void {
    this.#isZoomed = false;
    this.#fit();
    this.onZoom(false);
  }

  destroy(): void {
    this.#observer.disconnect();
    this.#plot.destroy();
  }

  #fit(): void {
    const { x, y } = rangesOf(this.#picture);
    this.#plot.batch(() => {
      this.#plot.setScale("x", { min: x[0], max: x[1] });
      this.#plot.setScale("y", { min: y[0], max: y[1] });
    });
  }

  readonly #point = (event: PointerEvent) => {
    const plot = this.#plot;
    const box = plot.over.getBoundingClientRect();
    const place = { left: event.clientX - box.left, top: event.clientY - box.top };
    const isDrawn = ({ left, top }: Found) => left >= 0 && left <= box.width && top >= 0 && top <= box.height;
    const found = closest(this.#picture, place, REACH, (x) => plot.valToPos(x, "x"), (y) => plot.valToPos(y, "y"));
    this.#activate(found && isDrawn(found) ? found : null);
  };

  #activate(found: Found | null): void {
    const before = this.#active;
    this.#active = found;
    const trace = found && this.#picture.traces[found.trace];
    this.#label.hidden = !trace;
    if (found && trace) {
      const { x, y } = this.#picture;
      const name = document.createElement("b");
      name.textContent = trace.label;
      const value = `${y.say(trace.y[found.point] ?? NaN)} at ${x.say(trace.x[found.point] ?? NaN)}`;
      this.#label.replaceChildren(name, document.createElement("br"), value);
      this.#label.style.setProperty("--run", trace.colour);
      this.#place(found);
    }
    if (before?.trace !== found?.trace) this.#plot.redraw(false);
  }

  /** Above the point where there is room, to the side that has more of it. */
  #place({ left, top }: Found): void {
    const { clientWidth, clientHeight } = this.#plot.over;
    const { style, offsetWidth, offsetHeight } = this.#label;
    const isLeft = left > clientWidth / 2;
    style.left = `${Math.min(Math.max(isLeft ? left - offsetWidth - 10 : left + 10, 0), Math.max(0, clientWidth - offsetWidth))}px`;
    const above = top - offsetHeight - 10;
    style.top = `${above >= 0 ? above : Math.min(top + 10, clientHeight - offsetHeight)}px`;
  }

  #options({ colours, face }: Looks): uPlot.Options {
    const font = `12px ${face}`;
    const look = {
      stroke: colours.quiet,
      font,
      labelFont: font,
      grid: { stroke: colours.line, width: 1 },
      ticks: { stroke: colours.line, width: 1, size: 4 },
    };
    const own = (_: uPlot, least: number, most: number): Range => [least, most];
    const { x, y } = this.#picture; // what differs from picture to picture is asked for when it is drawn
    return {
      width: Math.max(this.box.clientWidth, 100),
      height: HEIGHT,
      padding: [8, 12, 0, 0],
      legend: { show: false },
      cursor: {
        x: false,
        y: false,
        points: { show: false },
        drag: { x: true, y: true, uni: 24, dist: 5 },
        bind: { dblclick: () => () => (this.reset(), null) },
      },
      scales: {
        x: { time: false, auto: false, range: own },
        y: { auto: false, range: own, distr: y.isLog ? LOGARITHMIC : LINEAR },
      },
      series: [{}, { scale: "y", paths: () => null, points: { show: false } }],
      axes: [
        { ...look, label: x.title, labelSize: 18, size: 26, gap: 4, ...this.#marks("x", MARK_PX.x) },
        { ...look, scale: "y", size: 52, gap: 4, ...this.#marks("y", MARK_PX.y) },
      ],
      hooks: {
        draw: [(plot) => drawPicture(plot, this.#picture, colours, `${11 * window.devicePixelRatio}px ${face}`, this.#active?.trace ?? null)],
        setSelect: [({ select }) => this.#zoomed(select)],
      },
    };
  }

  /** Where an axis has its marks, and what they say. */
  #marks(of: "x" | "y", px: number): Pick<uPlot.Axis, "splits" | "values" | "filter"> {
    const axis = (): Axis => this.#picture[of];
    return {
      splits: (plot, _, least, most) => {
        const length = of === "x" ? plot.over.clientWidth || plot.width : HEIGHT;
        return (axis().isLog ? logMarks : evenMarks)([least, most], Math.max(2, Math.floor(length / px)));
      },
      filter: (_, splits) => splits,
      values: (_, splits) => {
        const marks = splits.map((value) => axis().mark(value, stepOf(splits)));
        return new Set(marks).size === marks.length ? marks : splits.map((value) => exactNumber(value)); // zoomed far in
      },
    };
  }

  #zoomed({ width, height }: uPlot.Select): void {
    if (width === 0 && height === 0) return;
    this.#isZoomed = true;
    this.#activate(null);
    this.onZoom(true);
  }
}
