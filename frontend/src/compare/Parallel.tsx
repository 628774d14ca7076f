import type { TargetedPointerEvent } from "preact";
import { useEffect, useId, useMemo, useRef, useState } from "react";
import type { Comparison } from "../api/types";
import { Link } from "../app/Link";
import { plural } from "../format";
import { Button } from "../ui/Button";
import { compareUrl } from "../history/links";
import { axesOf, isInside, type Brushes, type ParallelAxis } from "./parallel";
import css from "./Parallel.module.css";

const HEIGHT = 260;
const TOP = 44;
const FOOT = 34; // where runs without a value end
const PLOT = HEIGHT - TOP - FOOT;
const SIDE = 70;
const LEAST_GAP = 104;
const LEAST_BRUSH = 0.02; // a shorter drag is a click, which clears
const STEP = 0.05;

interface Props {
  comparison: Comparison;
  colours: ReadonlyMap<string, number>;
  labels: ReadonlyMap<string, string>;
  brushes: Brushes;
  onBrush: (brushes: Brushes) => void;
}

/** A line for each run across settings and figures; a stretch of an axis can be brushed to find what leads there. */
export function Parallel({ comparison, colours, labels, brushes, onBrush }: Props) {
  const { runs } = comparison;
  const axes = useMemo(() => axesOf(comparison), [comparison]);
  const [width, setWidth] = useState(800);
  const box = useRef<HTMLDivElement>(null);
  useEffect(() => {
    if (!box.current) return;
    const observer = new ResizeObserver(([entry]) => entry && setWidth(entry.contentRect.width));
    observer.observe(box.current);
    return () => observer.disconnect();
  }, []);
  if (axes.length < 2) return null;
  const inner = Math.max(width, 2 * SIDE + (axes.length - 1) * LEAST_GAP);
  const x = (index: number) => SIDE + (index * (inner - 2 * SIDE)) / (axes.length - 1);
  const inside = isInside(axes, brushes, runs.length);
  const chosen = runs.filter((_, index) => inside[index]).map(({ id }) => id);
  const change = (key: string, ends: readonly [number, number] | null) => {
    const next = new Map(brushes);
    if (ends) next.set(key, ends);
    else next.delete(key);
    onBrush(next);
  };
  return (
    <figure className={css.figure}>
      <figcaption className={css.caption}>
        <span>
          Settings and results <span className="quiet">a line for each run; drag along an axis to choose a stretch of it</span>
        </span>
        <span className={css.chosen} role="status">
          {brushes.size > 0 && (
            <>
              {plural(chosen.length, "run")} of {runs.length} inside{" "}
              {chosen.length > 0 && chosen.length < runs.length && <Link to={compareUrl(chosen)}>Compare only these</Link>}{" "}
              <Button kind="quiet" onClick={() => onBrush(new Map())}>
                Clear
              </Button>
            </>
          )}
        </span>
      </figcaption>
      <div ref={box} className={css.box}>
        <svg width={inner} height={HEIGHT} role="group" aria-label={`Settings and results of ${plural(runs.length, "run")}; the tables hold the figures`}>
          {[false, true].map((isFront) => (
            <g key={String(isFront)} className={isFront ? css.front : css.back} data-many={runs.length > 30 || undefined}>
              {runs.map(({ id }, index) =>
                inside[index] === isFront ? (
                  <path key={id} d={pathOf(axes, index, x)} stroke={isFront ? `var(--run-${colours.get(id) ?? 1})` : undefined}>
                    <title>{labels.get(id)}</title>
                  </path>
                ) : null,
              )}
            </g>
          ))}
          {axes.map((axis, index) => (
            <Axis
              key={axis.key}
              axis={axis}
              x={x(index)}
              room={(inner - 2 * SIDE) / (axes.length - 1)}
              brush={brushes.get(axis.key) ?? null}
              onBrush={(ends) => change(axis.key, ends)}
            />
          ))}
        </svg>
      </div>
    </figure>
  );
}

const y = (place: number | null | undefined) => (place === null || place === undefined ? HEIGHT - 12 : TOP + (1 - place) * PLOT);

function pathOf(axes: readonly ParallelAxis[], run: number, x: (index: number) => number): string {
  return axes.map(({ places }, index) => `${index === 0 ? "M" : "L"}${x(index).toFixed(1)} ${y(places[run]).toFixed(1)}`).join("");
}

interface AxisProps {
  axis: ParallelAxis;
  x: number;
  room: number;
  brush: readonly [number, number] | null;
  onBrush: (ends: readonly [number, number] | null) => void;
}

function Axis({ axis, x, room, brush, onBrush }: AxisProps) {
  const start = useRef<number | null>(null);
  const clip = useId();
  const placeOf = (event: TargetedPointerEvent<SVGRectElement>) => {
    const top = event.currentTarget.ownerSVGElement?.getBoundingClientRect().top ?? 0;
    return Math.min(1, Math.max(0, 1 - (event.clientY - top - TOP) / PLOT));
  };
  const drag = (event: TargetedPointerEvent<SVGRectElement>) => {
    if (start.current === null) return;
    const here = placeOf(event);
    const ends = [Math.min(start.current, here), Math.max(start.current, here)] as const;
    onBrush(ends[1] - ends[0] < LEAST_BRUSH ? null : ends);
  };
  return (
    <g transform={`translate(${x} 0)`}>
      <clipPath id={clip}>
        <rect x={-room / 2} y={0} width={room} height={TOP} />
      </clipPath>
      <text className={css.title} y={14} textAnchor="middle" clipPath={`url(#${clip})`} data-result={axis.isResult || undefined}>
        {axis.title}
        <title>{axis.title}</title>
      </text>
      <line className={css.axis} y1={TOP} y2={TOP + PLOT} />
      {axis.places.includes(null) && (
        <text className={css.tick} x={6} y={HEIGHT - 8}>
          none
        </text>
      )}
      {axis.ticks.map(({ place, text }) => (
        <text key={place} className={css.tick} x={6} y={y(place) + 4}>
          {shorten(text, room)}
          <title>{text}</title>
        </text>
      ))}
      {brush && <rect className={css.brush} x={-7} width={14} y={y(brush[1])} height={Math.max(2, y(brush[0]) - y(brush[1]))} />}
      <rect
        className={css.grip}
        x={-12}
        width={24}
        y={TOP - 6}
        height={PLOT + 12}
        onPointerDown={(event) => {
          if (event.button !== 0) return;
          event.currentTarget.setPointerCapture(event.pointerId);
          start.current = placeOf(event);
        }}
        onPointerMove={drag}
        onPointerUp={(event) => {
          drag(event);
          start.current = null;
        }}
        onPointerCancel={() => (start.current = null)}
      />
      {(["lowest", "highest"] as const).map((end, index) => (
        <Handle key={end} axis={axis} end={end} ends={brush ?? [0, 1]} index={index} onBrush={onBrush} />
      ))}
    </g>
  );
}

interface HandleProps {
  axis: ParallelAxis;
  end: string;
  ends: readonly [number, number];
  index: number;
  onBrush: (ends: readonly [number, number] | null) => void;
}

/** The end of a brush for the keyboard: arrows move it, Escape lets everything through. */
function Handle({ axis, end, ends, index, onBrush }: HandleProps) {
  const value = ends[index] as number;
  const press = (event: KeyboardEvent) => {
    const steps: Record<string, number> = { ArrowUp: STEP, ArrowRight: STEP, ArrowDown: -STEP, ArrowLeft: -STEP, Home: -1, End: 1 };
    const step = steps[event.key];
    if (event.key === "Escape") onBrush(null);
    else if (step === undefined) return;
    else {
      const moved = Math.min(index === 0 ? ends[1] : 1, Math.max(index === 0 ? 0 : ends[0], value + step));
      const next = index === 0 ? ([moved, ends[1]] as const) : ([ends[0], moved] as const);
      onBrush(next[0] <= 0 && next[1] >= 1 ? null : next);
    }
    event.preventDefault();
    event.stopPropagation();
  };
  return (
    <rect
      className={css.handle}
      x={-9}
      width={18}
      y={y(value) - 3}
      height={6}
      tabindex={0} // the names of attributes have a case in SVG
      role="slider"
      aria-label={`${axis.title}, ${end} that is let through`}
      aria-valuemin={0}
      aria-valuemax={100}
      aria-valuenow={Math.round(value * 100)}
      aria-valuetext={`${Math.round(value * 100)}% of the range`}
      onKeyDown={press}
    />
  );
}

const shorten = (text: string, room: number) => {
  const most = Math.max(6, Math.floor((room - 14) / 6));
  return text.length > most ? `${text.slice(0, most - 1)}…` : text;
};
