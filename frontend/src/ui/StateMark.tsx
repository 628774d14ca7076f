import type { RunState } from "../api/types";
import css from "./StateMark.module.css";

/** What a state is called, and its glyph: the shape alone tells the states apart. */
const STATES: Record<RunState, { label: string; glyph: "ring" | "half" | "dot" | "check" | "square" | "cross" }> = {
  queued: { label: "queued", glyph: "ring" },
  starting: { label: "starting", glyph: "half" },
  running: { label: "running", glyph: "dot" },
  stopping: { label: "stopping", glyph: "half" },
  completed: { label: "completed", glyph: "check" },
  stopped: { label: "stopped", glyph: "square" },
  failed: { label: "failed", glyph: "cross" },
};

/** A run's state in a word and a shape, with its place in the queue and, on hover, why it ended. */
export function StateMark({
  state,
  reason,
  queuePosition,
}: {
  state: RunState;
  reason?: string | null;
  queuePosition?: number | null;
}) {
  const { label, glyph } = STATES[state];
  return (
    <span className={css.mark} data-state={state} title={reason ?? undefined}>
      <svg width="12" height="12" viewBox="0 0 12 12" aria-hidden="true">
        {glyph === "ring" && <circle cx="6" cy="6" r="4" className={css.line} />}
        {glyph === "half" && (
          <>
            <circle cx="6" cy="6" r="4" className={css.line} />
            <path d="M6 2a4 4 0 0 1 0 8z" className={css.fill} />
          </>
        )}
        {glyph === "dot" && <circle cx="6" cy="6" r="4.5" className={css.fill} />}
        {glyph === "check" && <path d="M2 6.5l2.8 2.8L10 3.5" className={css.line} />}
        {glyph === "square" && <rect x="2.5" y="2.5" width="7" height="7" className={css.fill} />}
        {glyph === "cross" && <path d="M2.5 2.5l7 7M9.5 2.5l-7 7" className={css.line} />}
      </svg>
      {label}
      {state === "queued" && queuePosition != null && <span className="quiet">no. {queuePosition}</span>}
    </span>
  );
}
