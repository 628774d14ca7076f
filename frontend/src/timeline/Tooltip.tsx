import { useNews, type Session } from "../run/session";
import { describe } from "./describe";
import type { Selection } from "./selection";
import css from "./Timeline.module.css";

const AWAY = 14; // CSS pixels from the pointer
const MOST_FACTS = 4; // the panel has all of them

interface Props {
  session: Session;
  selection: Selection;
  x: number;
  y: number;
}

/** What is under the pointer, in words; it stays on the canvas' near side. */
export function Tooltip({ session, selection, x, y }: Props) {
  useNews(session);
  const { store } = session;
  const description = describe(store.model, selection, store.nowS());
  if (!description) return null;
  const isRight = x > window.innerWidth / 2;
  const place = isRight ? { right: `calc(100% - ${x - AWAY}px)` } : { left: x + AWAY };
  return (
    <div className={css.tip} style={{ ...place, top: y + AWAY }} aria-hidden="true">
      <b>{description.title}</b>
      {description.reason && <p>{description.reason}</p>}
      <dl>
        {description.facts.slice(0, MOST_FACTS).map(({ name, value }) => (
          <div key={name} style={{ display: "contents" }}>
            <dt>{name}</dt>
            <dd>{value}</dd>
          </div>
        ))}
      </dl>
    </div>
  );
}
