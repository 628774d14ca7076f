import { formatCount, formatSeconds } from "../format";
import type { FeedStatus } from "../store/live";
import { useNews, usePageSession } from "./session";
import css from "./LiveBadge.module.css";

/** How fresh the page is: live, catching up, reconnecting, ended. A shape and a word, since colour is the nodes'. */
export function LiveBadge() {
  const session = usePageSession();
  useNews(session);
  const { status, model } = session.store;
  const { label, title, glyph } = wordsOf(status, model.finishedS !== null, model.numEvents);
  return (
    <span className={css.badge} role="status" title={title} data-live={glyph === "full" || undefined}>
      <svg width="10" height="10" viewBox="0 0 10 10" aria-hidden="true">
        <circle cx="5" cy="5" r="3.5" fill={glyph === "full" ? "currentColor" : "none"} stroke="currentColor" strokeDasharray={glyph === "dashed" ? "2 2" : undefined} />
        {glyph === "half" && <path d="M5 1.5a3.5 3.5 0 0 1 0 7z" fill="currentColor" />}
      </svg>
      {label}
    </span>
  );
}

interface Words {
  label: string;
  title: string;
  glyph: "full" | "half" | "dashed" | "ring";
}

function wordsOf(status: FeedStatus, isFinished: boolean, numEvents: number): Words {
  const seen = `${formatCount(numEvents)} events`;
  switch (status.name) {
    case "live":
      if (isFinished) return { label: "ended", title: `All ${seen} are here.`, glyph: "ring" };
      if (numEvents === 0) return { label: "no events yet", title: "The stream is open.", glyph: "ring" };
      return { label: "live", title: `${seen} are here; nothing is behind.`, glyph: "full" };
    case "catching up":
      return { label: `catching up, ${formatCount(status.numBehind)} events to go`, title: `${seen} are here.`, glyph: "half" };
    case "connecting":
      return { label: "connecting", title: "The stream is being opened.", glyph: "dashed" };
    case "reconnecting":
      return {
        label: "reconnecting",
        title: `The connection is lost; try ${status.attempt} in ${formatSeconds(status.retryS)}. The run goes on; nothing will be missing.`,
        glyph: "dashed",
      };
    case "ended":
      return { label: "ended", title: `All ${seen} are here.`, glyph: "ring" };
    case "denied":
      return { label: "no access", title: "The server wants its token: open the link that `foresync serve` has printed.", glyph: "dashed" };
    case "unknown run":
      return { label: "unknown run", title: "", glyph: "dashed" };
  }
}
