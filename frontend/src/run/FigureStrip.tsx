import { useMemo } from "react";
import { Sparkline } from "../charts/Sparkline";
import { formatNumber, formatPercent, splitBytes, type Quantity } from "../format";
import { figuresOver, figuresWithin, type Figures } from "../store/figures";
import type { RunModel } from "../store/model";
import { useNews, usePageSession } from "./session";
import css from "./FigureStrip.module.css";

const RECENT_S = 10;
const END_SHARE = 0.05; // of a run; what it has learned shows at its end, not in a mean over all of it
const MOST_POINTS = 96;

interface Column {
  key: keyof Figures;
  label: string;
  help: string;
  max?: number;
  write: (value: number | null) => Quantity;
}

const percent = (value: number | null): Quantity => {
  const text = formatPercent(value);
  return text.endsWith("%") ? { text: text.slice(0, -1), unit: "%" } : { text, unit: "" };
};
const number =
  (unit: string) =>
  (value: number | null): Quantity => ({ text: formatNumber(value), unit: value === null ? "" : unit });

const COLUMNS: Column[] = [
  { key: "utilisation", label: "Utilisation", help: "compute time over wall time of all workers", max: 1, write: percent },
  { key: "waitShare", label: "Waiting", help: "time in which workers were held by the gate, over wall time", max: 1, write: percent },
  { key: "iterationsPerS", label: "Iterations", help: "minibatch steps of all workers together", write: number("/s") },
  { key: "loss", label: "Training loss", help: "mean over minibatches; of an ended run over its last twentieth", write: number("") },
  {
    key: "bytesPerS",
    label: "Traffic",
    help: "weights and deltas, both ways",
    write: (value) => {
      const { text, unit } = splitBytes(value);
      return { text, unit: unit && `${unit}/s` };
    },
  },
];

/** Five figures: over the last seconds while the run goes on, over all of it afterwards (the loss: at its end); and their past. */
export function FigureStrip() {
  const session = usePageSession();
  const news = useNews(session);
  const { model } = session.store;
  const isOver = !session.store.isRunning;
  const nowS = session.store.nowS();
  const { now, whole, past } = useMemo(() => {
    const all = figuresWithin(model, 0, nowS, nowS);
    const recent = figuresWithin(model, Math.max(0, nowS - RECENT_S), nowS, nowS);
    const end = figuresWithin(model, nowS * (1 - END_SHARE), nowS, nowS);
    return {
      now: isOver ? { ...all, loss: end.loss ?? recent.loss } : recent,
      whole: all,
      past: figuresOver(model, nowS, MOST_POINTS),
    };
    // Everything follows the model, which says by `news` that it has changed.
    // eslint-disable-next-line react-hooks/exhaustive-deps
  }, [news, model, isOver]);
  return (
    <dl className={css.strip}>
      {COLUMNS.map(({ key, label, help, max, write }) => {
        const { text, unit } = write(now[key]);
        const mean = write(whole[key]);
        return (
          <div key={key} className={css.figure} title={`${label}: ${help}`}>
            <dt>
              {label} <span>{isOver ? (key === "loss" ? "at the end" : "whole run") : `last ${RECENT_S} s`}</span>
            </dt>
            <dd>
              <b>
                {text}
                {unit && <span className="unit">{unit}</span>}
              </b>
              {key === "loss" ? (
                <small title="newest evaluation on the held-back set">{model.evaluations.length > 0 && `test ${formatNumber(testLoss(model))}`}</small>
              ) : (
                !isOver && whole[key] !== null && (
                  <small title="over the whole run so far">
                    run {mean.text}
                    {mean.unit && `\u202f${mean.unit}`}
                  </small>
                )
              )}
            </dd>
            <dd className={css.past} aria-hidden="true">
              <Sparkline values={past.map((one) => one[key])} {...(max === undefined ? {} : { max })} />
            </dd>
          </div>
        );
      })}
    </dl>
  );
}

function testLoss({ evaluations }: RunModel): number | null {
  return evaluations.length === 0 ? null : evaluations.get(evaluations.length - 1, "loss");
}
