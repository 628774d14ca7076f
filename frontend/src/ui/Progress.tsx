import { formatPercent } from "../format";
import css from "./Progress.module.css";

/** How much of something is done: a bar with its words for screen readers. */
export function Progress({ share, label }: { share: number; label: string }) {
  const kept = Math.min(1, Math.max(0, share));
  return (
    <span
      className={css.bar}
      role="progressbar"
      aria-valuemin={0}
      aria-valuemax={100}
      aria-valuenow={Math.round(kept * 100)}
      aria-label={label}
      title={formatPercent(kept)}
    >
      <span style={{ width: `${kept * 100}%` }} />
    </span>
  );
}
