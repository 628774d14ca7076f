import { useEffect, useRef, type ReactNode } from "react";
import type uPlot from "uplot";
import { useLater } from "../app/later";
import { useTheme } from "../app/theme";
import { useIsOpen, type Session } from "../run/session";
import css from "./Chart.module.css";

/** How a chart looks and where its numbers come from; made anew when the theme changes. */
export interface ChartSpec {
  series: uPlot.Series[]; // without the one of x
  isStepped?: boolean; // a value holds until the next one
  scales: Record<string, uPlot.Scale>; // without x
  axes: (Omit<uPlot.Axis, "side"> & { isRight?: boolean })[]; // without x
  hooks?: uPlot.Hooks.Arrays;
  data: (fromS: number, lengthS: number, width: number) => uPlot.AlignedData;
}

interface Props {
  session: Session;
  title: string;
  height: number;
  makeSpec: () => ChartSpec; // must be stable
  children: ReactNode; // the legend, in the gutter at the left
}

const loadPlot = () => import("./plot");

/** A chart on the time axis of the timeline: same gutters, same stretch of time, same cursor. */
export function Chart({ session, title, height, makeSpec, children }: Props) {
  const box = useRef<HTMLDivElement>(null);
  const theme = useTheme();
  const plot = useLater(loadPlot, useIsOpen(session)); // once the timeline above was painted
  useEffect(() => {
    if (!box.current || !plot) return;
    return plot.mount(box.current, session, height, makeSpec());
    // The theme is read by makeSpec.
  }, [plot, session, height, makeSpec, theme]);
  return (
    <figure className={css.figure} style={{ height }} aria-label={title}>
      <div ref={box} className={css.plot} aria-hidden="true" />
      <figcaption className={css.legend}>{children}</figcaption>
    </figure>
  );
}
