import { useEffect, useRef } from "react";
import { useTheme } from "../app/theme";
import { Kind } from "../store/spans";
import { paintSample } from "../timeline/palette";
import css from "./Legend.module.css";

const ITEMS: { kind: Kind; label: string; help: string }[] = [
  { kind: Kind.compute, label: "compute", help: "an iteration of local training" },
  { kind: Kind.overlapped, label: "during sync", help: "local training that goes on during a synchronisation" },
  { kind: Kind.up, label: "transfer", help: "weights or deltas travel and the worker does not compute" },
  { kind: Kind.wait, label: "wait", help: "held by the gate" },
  { kind: Kind.lost, label: "lost", help: "the process is gone" },
];

const WIDTH = 16;
const HEIGHT = 12;

/** What the colours and textures of the lanes mean. */
export function Legend() {
  return (
    <ul className={css.legend} aria-label="Colours of the lanes">
      {ITEMS.map(({ kind, label, help }) => (
        <li key={kind} title={help}>
          <Sample kind={kind} />
          {label}
        </li>
      ))}
    </ul>
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
