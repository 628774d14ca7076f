import { useCallback } from "react";
import type uPlot from "uplot";
import { cssToken } from "../app/theme";
import { formatNumber, formatPercent } from "../format";
import { useNews, type Session } from "../run/session";
import { bucketsOf, lossData, roundRange } from "./buckets";
import { Chart, type ChartSpec } from "./Chart";

const BUCKET_PX = 3;

interface Props {
  session: Session;
  height: number;
  target: { metric: string; value: number } | null;
}

/** Loss (of the training minibatches and of the held-back set) and accuracy. */
export function LossChart({ session, height, target }: Props) {
  useNews(session);
  const { model } = session.store;
  const { metric, value } = target ?? {}; // not the object, which is another one with each state of the run
  const makeSpec = useCallback(() => specOf(session, metric === undefined || value === undefined ? null : { metric, value }), [session, metric, value]);
  const { evaluations } = model;
  const last = evaluations.length - 1;
  return (
    <Chart session={session} title="Loss and accuracy over time" height={height} makeSpec={makeSpec}>
      <b>Loss, accuracy</b>
      <ul>
        <Key dash="" width={1} label="training" value={formatNumber(recentLoss(session))} />
        <Key dash="" width={2} label="test" value={formatNumber(last < 0 ? null : evaluations.get(last, "loss"))} />
        <Key dash="4 3" width={2} label="accuracy" value={formatPercent(last < 0 ? null : evaluations.get(last, "accuracy"))} />
      </ul>
    </Chart>
  );
}

function recentLoss({ store, view }: Session): number | null {
  const { trainLoss, lastS } = store.model;
  return trainLoss.mean(lastS - Math.max(1, view.lengthS / 50), Infinity);
}

function Key({ dash, width, label, value }: { dash: string; width: number; label: string; value: string }) {
  return (
    <li>
      <svg width="18" height="8" aria-hidden="true">
        <path d="M0 4H18" stroke="currentColor" strokeWidth={width} strokeDasharray={dash} />
      </svg>
      {label}
      <output>{value}</output>
    </li>
  );
}

function specOf({ store }: Session, target: Props["target"]): ChartSpec {
  const ink = cssToken("--ink");
  const quiet = cssToken("--ink-quiet");
  const line = cssToken("--line");
  const font = `11px ${cssToken("--face")}`;
  const axis = { stroke: quiet, font, gap: 6, ticks: { show: false }, grid: { stroke: line, width: 1 } };
  return {
    data: (fromS, lengthS, width) => {
      const { x, training, test, accuracy } = lossData(store.model, bucketsOf(fromS, lengthS, Math.max(20, Math.round(width / BUCKET_PX))));
      return [x, training, test, accuracy];
    },
    scales: {
      loss: { range: (_, min, max) => finite(min, max, (a, b) => roundRange(Math.min(a, b), b)) },
      accuracy: { range: (_, min, max) => finite(min, max, (a) => [Math.max(0, Math.floor(a * 10 - 1e-9) / 10), 1]) },
    },
    series: [
      { scale: "loss", stroke: quiet, width: 1, points: { show: false } },
      { scale: "loss", stroke: ink, width: 2, spanGaps: true, points: { show: false } },
      { scale: "accuracy", stroke: ink, width: 1.5, dash: [5, 4], spanGaps: true, points: { show: false } },
    ],
    axes: [
      { ...axis, scale: "loss", space: 26, values: (_, splits) => evenLabels(splits) },
      { ...axis, scale: "accuracy", isRight: true, space: 26, grid: { show: false }, values: (_, splits) => splits.map((value) => `${Math.round(value * 100)}%`) },
    ],
    hooks: { draw: [(plot) => drawTarget(plot, target, { quiet, surface: cssToken("--surface") }, font)] },
  };
}

/** Write the marks of an axis with as many decimals as their distance needs. */
function evenLabels(splits: number[]): string[] {
  const step = Math.abs((splits[1] ?? 1) - (splits[0] ?? 0)) || 1;
  const decimals = Math.min(6, Math.max(0, -Math.floor(Math.log10(step) + 1e-9)));
  return splits.map((value) => value.toFixed(decimals));
}

function finite(min: number | null, max: number | null, range: (min: number, max: number) => [number, number]): [number, number] {
  return min === null || max === null || !Number.isFinite(min) || !Number.isFinite(max) ? [0, 1] : range(min, max);
}

/** Draw the goal as a dotted line, if it lies in sight. */
function drawTarget(plot: uPlot, target: Props["target"], colours: { quiet: string; surface: string }, font: string): void {
  if (!target) return;
  const y = plot.valToPos(target.value, target.metric === "test_accuracy" ? "accuracy" : "loss", true);
  const { left, top, width, height } = plot.bbox;
  if (!(y >= top && y <= top + height)) return;
  const { ctx } = plot;
  ctx.save();
  ctx.strokeStyle = ctx.fillStyle = colours.quiet;
  ctx.lineWidth = window.devicePixelRatio;
  ctx.setLineDash([2, 4].map((length) => length * window.devicePixelRatio));
  ctx.beginPath();
  ctx.moveTo(left, Math.round(y) + 0.5);
  ctx.lineTo(left + width, Math.round(y) + 0.5);
  ctx.stroke();
  ctx.font = font.replace("11px", `${11 * window.devicePixelRatio}px`);
  const isHigh = y - top < 14 * window.devicePixelRatio; // above the line there is no room for the word
  ctx.textBaseline = isHigh ? "top" : "bottom";
  ctx.setLineDash([]);
  ctx.textAlign = "right";
  const x = left + width - 6 * window.devicePixelRatio;
  ctx.lineJoin = "round";
  ctx.strokeStyle = colours.surface; // curves that cross the word stay out of its letters
  ctx.lineWidth = 4 * window.devicePixelRatio;
  ctx.strokeText("target", x, isHigh ? y + 4 : y - 2);
  ctx.fillText("target", x, isHigh ? y + 4 : y - 2);
  ctx.restore();
}
