import { useEffect, useState } from "react";
import { formatCount, formatRoughSeconds, plural } from "../format";
import type { FeedStatus } from "../store/live";
import { useNews, usePageSession } from "./session";
import css from "./LiveBadge.module.css";

/** How fresh the page is: live, catching up, reconnecting, offline, ended. A shape and a word: colour is the nodes'. */
export function LiveBadge() {
  const session = usePageSession();
  useNews(session);
  const { status, model } = session.store;
  const waitsUntilMs = status.name === "reconnecting" || status.name === "offline" ? status.retryAtMs : null;
  const nowMs = useNowMs(waitsUntilMs !== null);
  const { label, title, glyph } = wordsOf(status, {
    isFinished: model.finishedS !== null,
    numEvents: model.numEvents,
    nowMs,
  });
  // The count of seconds is for the eye only: a screen reader is told of the state when that changes.
  return (
    <span className={css.badge} role="status" title={title} data-live={glyph === "full" || undefined}>
      <svg width="10" height="10" viewBox="0 0 10 10" aria-hidden="true">
        <circle
          cx="5"
          cy="5"
          r="3.5"
          fill={glyph === "full" ? "currentColor" : "none"}
          stroke="currentColor"
          strokeDasharray={glyph === "dashed" ? "2 2" : undefined}
        />
        {glyph === "half" && <path d="M5 1.5a3.5 3.5 0 0 1 0 7z" fill="currentColor" />}
        {glyph === "crossed" && <path d="M1 9 9 1" stroke="currentColor" />}
      </svg>
      {label}
      {waitsUntilMs !== null && (
        <span className={css.count} aria-hidden="true">
          {secondsTo(waitsUntilMs, nowMs)}
        </span>
      )}
    </span>
  );
}

const TICK_MS = 250;

/** The present moment, drawn again a few times a second while it is wanted. */
function useNowMs(isWanted: boolean): number {
  const [nowMs, setNowMs] = useState(() => performance.now());
  useEffect(() => {
    if (!isWanted) return undefined;
    const tick = () => setNowMs(performance.now());
    tick();
    const timer = setInterval(tick, TICK_MS);
    return () => clearInterval(timer);
  }, [isWanted]);
  return nowMs;
}

function secondsTo(atMs: number, nowMs: number): string {
  const leftS = Math.ceil((atMs - nowMs) / 1000);
  return leftS > 0 ? `in ${leftS} s` : "now";
}

export interface BadgeWords {
  label: string;
  title: string;
  glyph: "full" | "half" | "dashed" | "crossed" | "ring";
}

interface Seen {
  isFinished: boolean;
  numEvents: number;
  nowMs: number;
}

export function wordsOf(status: FeedStatus, { isFinished, numEvents, nowMs }: Seen): BadgeWords {
  const seen = plural(numEvents, "event");
  switch (status.name) {
    case "live":
      if (isFinished) return { label: "ended", title: `All ${seen} are here.`, glyph: "ring" };
      if (numEvents === 0) return { label: "no events yet", title: "The stream is open.", glyph: "ring" };
      return { label: "live", title: `${seen} are here; nothing is behind.`, glyph: "full" };
    case "catching up": {
      const { numBehind, behindS } = status;
      const lag = behindS === null ? "" : `, ${formatRoughSeconds(behindS)}`;
      return {
        label: `catching up: ${formatCount(numBehind)} events${lag}`,
        title: `${seen} are here. The rest is on its way, in order; what is drawn is the run as it was then.`,
        glyph: "half",
      };
    }
    case "connecting":
      return { label: "connecting", title: "The stream is being opened.", glyph: "dashed" };
    case "reconnecting":
      return {
        label: "reconnecting",
        title: `The connection is lost; try ${status.attempt} follows. The run goes on; nothing will be missing.`,
        glyph: "dashed",
      };
    case "offline": {
      const lostS = (nowMs - status.lostAtMs) / 1000;
      return {
        label: "offline, next try",
        title:
          `The server has not been reached for ${formatRoughSeconds(lostS)}: it was ended, or the network is down. ` +
          "What is shown is what came before. The run goes on; nothing will be missing.",
        glyph: "crossed",
      };
    }
    case "ended":
      return { label: "ended", title: `All ${seen} are here.`, glyph: "ring" };
    case "denied":
      return {
        label: "no access",
        title: "The server wants its token: open the link that `foresync serve` has printed.",
        glyph: "dashed",
      };
    case "unknown run":
      return { label: "unknown run", title: "There is no such run, or none any more.", glyph: "dashed" };
  }
}
