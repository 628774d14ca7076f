import { useSyncExternalStore } from "react";
import { formatAbsolute, formatRelative, UNKNOWN } from "../format";

const STEP_MS = 1000;
const viewers = new Set<() => void>();
let timer: number | undefined;
let nowMs = Date.now();

function subscribe(viewer: () => void): () => void {
  viewers.add(viewer);
  if (timer === undefined) {
    nowMs = Date.now();
    timer = window.setInterval(() => {
      nowMs = Date.now();
      for (const one of viewers) one();
    }, STEP_MS);
  }
  return () => {
    viewers.delete(viewer);
    if (viewers.size > 0) return;
    window.clearInterval(timer);
    timer = undefined;
  };
}

/** An instant relative to now, the absolute one on hover. One clock ticks for all; only texts that change are drawn. */
export function Time({ iso }: { iso: string | null | undefined }) {
  const text = useSyncExternalStore(subscribe, () => formatRelative(iso, nowMs));
  if (!iso || text === UNKNOWN) return <span>{UNKNOWN}</span>;
  return (
    <time
      dateTime={iso}
      style={{ whiteSpace: "nowrap" }}
      onPointerEnter={({ currentTarget }) => (currentTarget.title = formatAbsolute(iso))}
    >
      {text}
    </time>
  );
}
