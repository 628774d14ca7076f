import { formatPercent } from "../format";
import { iterationScore, lastOutcome, nextForecast, nextText, outcomeText, scoreSentence } from "../store/forecast";
import { recentSentence } from "../store/recent";
import { PlaybackControls } from "../timeline/PlaybackControls";
import { Button } from "../ui/Button";
import { useNews, usePageSession } from "./session";
import css from "./TimelineBar.module.css";

interface Props {
  isPanelOpen: boolean;
  onPanel: (() => void) | null; // null: there is no panel to fold
}

/** Above the timeline: the forecast in a sentence, what the colours mean, and whether the view follows. */
export function TimelineBar({ isPanelOpen, onPanel }: Props) {
  const session = usePageSession();
  useNews(session);
  const { view } = session;
  return (
    <div className={css.bar}>
      <p className={css.sentence}>{buildingText(session.store.builtShare) || sentence(session.store.model, session.store.nowS(), session.store.isLive)}</p>
      <span className={css.tools}>
        <PlaybackControls />
        <Button kind="quiet" onClick={() => view.zoomByKey(1 / 0.6)} aria-label="Zoom out" title="Zoom out (S)">
          −
        </Button>
        <Button kind="quiet" onClick={() => view.zoomByKey(0.6)} aria-label="Zoom in" title="Zoom in (W)">
          +
        </Button>
        <Button kind="quiet" onClick={() => view.follow()} aria-pressed={view.isFollowing} title="Follow now; an ended run is shown whole (F)" className={css.follow ?? ""}>
          {session.store.isRunning ? "Follow" : "Show all"}
        </Button>
        {onPanel && (
          <Button kind="quiet" onClick={onPanel} aria-pressed={isPanelOpen} title="Open or fold the panel (P)" aria-label="Panel">
            <svg width="14" height="12" viewBox="0 0 14 12" aria-hidden="true">
              <rect x="0.5" y="0.5" width="13" height="11" fill="none" stroke="currentColor" />
              <rect x="9" y="1" width="4" height="10" fill={isPanelOpen ? "currentColor" : "none"} />
              <path d="M9 1v10" stroke="currentColor" />
            </svg>
          </Button>
        )}
      </span>
    </div>
  );
}

/** An old run has no overview yet: say how far it is. */
function buildingText(share: number | null): string {
  return share === null ? "" : `The overview of this run is made once, since it is long: ${formatPercent(share)} done.`;
}

type Session = ReturnType<typeof usePageSession>;

/** Say when the next synchronisation is and whether the last forecast was right; without such forecasts, whom others wait for, and how the forecasts of iterations held. */
function sentence(model: Session["store"]["model"], nowS: number, isLive: boolean): string {
  const parts: string[] = [];
  const next = isLive ? nextForecast(model) : null;
  if (next) parts.push(nextText(model, next, nowS));
  const last = lastOutcome(model);
  if (last) parts.push(`the last came ${outcomeText(last)}`);
  if (parts.length > 0) return capital(`${parts.join("; ")}.`);
  const score = scoreSentence(iterationScore(model));
  return isLive ? `${recentSentence(model, nowS)} ${score}`.trim() : score;
}

const capital = (text: string) => text.charAt(0).toUpperCase() + text.slice(1);

