import { useEffect, useRef } from "react";
import type { Run } from "../api/types";
import { useTheme } from "../app/theme";
import { areThereForecasts } from "../store/forecast";
import { Kind } from "../store/spans";
import { paintSample } from "../timeline/palette";
import { useNews, usePageSession } from "./session";
import css from "./Legend.module.css";

const ITEMS: { kind: Kind; label: string; help: string }[] = [
  { kind: Kind.compute, label: "compute", help: "an iteration of local training" },
  { kind: Kind.overlapped, label: "compute during a synchronisation", help: "local training that goes on while a push is in flight" },
  { kind: Kind.up, label: "transfer", help: "weights or deltas travel and the worker does not compute" },
  { kind: Kind.wait, label: "wait", help: "held by the gate" },
  { kind: Kind.evaluation, label: "evaluation", help: "the held-back set, on a snapshot of the weights" },
  { kind: Kind.lost, label: "lost", help: "the process is gone" },
];

const WIDTH = 16;
const HEIGHT = 12;

/** What the colours and textures of the lanes mean; of forecasts only where the run has any. */
export function Legend({ run }: { run: Run }) {
  const session = usePageSession();
  useNews(session, 8);
  const hasForecasts = Boolean(run.summary.forecasts) || areThereForecasts(session.store.model);
  return (
    <ul className={css.legend} aria-label="What the lanes show">
      {ITEMS.map(({ kind, label, help }) => (
        <li key={kind} title={help}>
          <Sample kind={kind} />
          {label}
        </li>
      ))}
      <li title="the iteration took over a tenth longer than its speed model asked for">
        <svg width="16" height="12" viewBox="0 0 16 12" aria-hidden="true">
          <rect width="16" height="12" fill="var(--compute)" />
          <rect width="16" height="3" fill="var(--stall)" />
        </svg>
        slower than asked for
      </li>
      {hasForecasts && <ForecastItems />}
    </ul>
  );
}

function ForecastItems() {
  return (
    <>
      <li title="predicted 5-95% window of the next synchronisation, or of the end of a worker's iteration; once it has passed, its outline">
        <svg width="16" height="12" viewBox="0 0 16 12" aria-hidden="true">
          <path d="M1 11l6-10M6 11l6-10" stroke="currentColor" strokeWidth="0.8" />
          <rect x="0.5" y="0.5" width="15" height="11" fill="none" stroke="currentColor" strokeDasharray="3 2" />
        </svg>
        predicted window
      </li>
      <li title="the line under a lane, where iterations are too narrow for a window each: bars show the share that ended after its window (above) or before it (below), where that is more than 10%, twice what is wanted">
        <svg width="16" height="12" viewBox="0 0 16 12" aria-hidden="true">
          <path d="M0 6.5h16" stroke="currentColor" />
          <path d="M3 6V1h4v5zM10 7v3h3V7z" fill="currentColor" />
        </svg>
        missed: late above, early below
      </li>
    </>
  );
}

/** The colour and texture of a kind, as the lanes have it. */
export function Sample({ kind }: { kind: Kind }) {
  const canvas = useRef<HTMLCanvasElement>(null);
  const theme = useTheme();
  useEffect(() => {
    const ctx = canvas.current?.getContext("2d");
    if (!canvas.current || !ctx) return;
    const ratio = window.devicePixelRatio;
    canvas.current.width = Math.round(WIDTH * ratio);
    canvas.current.height = Math.round(HEIGHT * ratio);
    paintSample(ctx, kind, ratio);
  }, [kind, theme]);
  return <canvas ref={canvas} style={{ width: WIDTH, height: HEIGHT }} aria-hidden="true" />;
}
