import { useEffect, useState } from "react";
import { useKeys } from "../app/keys";
import { usePageSession } from "../run/session";
import { Button } from "../ui/Button";
import { SPEEDS } from "./playback";
import { exactTime } from "./ticks";
import css from "./PlaybackControls.module.css";

const LABEL_MS = 100; // between two changes of the time that is written

/** Play the run back from the stretch that is seen, at once to 64 times its speed. */
export function PlaybackControls() {
  const { playback, store, subscribePlayback } = usePageSession();
  const [, draw] = useState(0);
  useEffect(() => subscribePlayback(() => draw((count) => count + 1)), [subscribePlayback]);
  const { isPlaying, headS, speed } = playback;
  useEffect(() => {
    if (!isPlaying) return;
    const timer = setInterval(() => draw((count) => count + 1), LABEL_MS);
    return () => clearInterval(timer);
  }, [isPlaying]);
  const toggle = () => playback.toggle(store.nowS());
  useKeys("Play back", {
    " ": { label: "Play the run back from here, or pause", run: ({ repeat }) => !repeat && toggle() },
  });
  return (
    <span className={css.controls} role="group" aria-label="Play back">
      {headS !== null && (
        <>
          <output className={css.time} title="Everything after this moment is hidden">
            {exactTime(headS)}
          </output>
          <Button kind="quiet" onClick={() => playback.stop()} title="End the playing back: show everything again" aria-label="End the playing back">
            <svg width="10" height="10" viewBox="0 0 10 10" aria-hidden="true">
              <rect x="1" y="1" width="8" height="8" fill="currentColor" />
            </svg>
          </Button>
        </>
      )}
      <select value={speed} onChange={(event) => playback.setSpeed(Number(event.currentTarget.value))} aria-label="Speed" title="Seconds of the run in a second">
        {SPEEDS.map((one) => (
          <option key={one} value={one}>
            {one}×
          </option>
        ))}
      </select>
      <Button kind="quiet" onClick={toggle} aria-label={isPlaying ? "Pause" : "Play"} title={isPlaying ? "Pause (Space)" : "Play the run back from here (Space)"}>
        <svg width="12" height="12" viewBox="0 0 12 12" aria-hidden="true">
          {isPlaying ? <path d="M2 1h3v10H2zM7 1h3v10H7z" fill="currentColor" /> : <path d="M2 1l9 5-9 5z" fill="currentColor" />}
        </svg>
      </Button>
    </span>
  );
}
