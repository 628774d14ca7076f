import { useState } from "react";
import type { Account } from "../api/types";
import { formatCount } from "../format";
import { Button } from "../ui/Button";
import { Num } from "../ui/Num";
import table from "../ui/Table.module.css";
import { Panel } from "./Panel";
import { Scroll } from "./Scroll";
import css from "./Account.module.css";

const FIRST = 8;

/** What the gate said while workers waited, the dearest sentence first; above it, why in general. */
export function SentencesPanel({ account }: { account: Account }) {
  const [isLong, setLong] = useState(false);
  const { top, others_s, num_others } = account.sentences;
  const waitS = account.total.parts.wait;
  const shown = isLong ? top : top.slice(0, FIRST);
  const kinds = Object.entries(account.total.wait_kinds).sort(([, a], [, b]) => b - a);
  return (
    <Panel title="Why, in the gate’s words" basis={account.basis.times}>
      <ul className={css.kinds}>
        {kinds.map(([kind, seconds]) => (
          <li key={kind}>
            <Num value={seconds / waitS} as="percent" /> for {account.wait_labels[kind] ?? kind}
          </li>
        ))}
      </ul>
      <Scroll label="Sentences of the gate, with the time spent waiting under each">
        <table className={table.table}>
          <caption className="unseen">Sentences of the gate, with the time spent waiting under each</caption>
          <thead>
            <tr>
              <th scope="col">Sentence</th>
              {["Waits", "Time", "Share"].map((title) => (
                <th key={title} scope="col" className={table.right}>
                  {title}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {shown.map(({ sentence, seconds, num }) => (
              <tr key={sentence}>
                <td className={`${table.fill ?? ""} ${css.sentence ?? ""}`}>
                  {sentence || <span className="quiet">nothing was said, or not yet</span>}
                </td>
                <Figures num={num} seconds={seconds} whole={waitS} />
              </tr>
            ))}
            {isLong && num_others > 0 && (
              <tr>
                <td className="quiet">all others</td>
                <Figures num={num_others} seconds={others_s} whole={waitS} />
              </tr>
            )}
          </tbody>
        </table>
      </Scroll>
      {top.length > FIRST && (
        <Button className={css.more ?? ""} onClick={() => setLong(!isLong)}>
          {isLong ? "Only the dearest" : `All sentences (${formatCount(top.length - FIRST)} more)`}
        </Button>
      )}
    </Panel>
  );
}

function Figures({ num, seconds, whole }: { num: number; seconds: number; whole: number }) {
  return (
    <>
      <td className={table.right}>
        <Num value={num} as="count" />
      </td>
      <td className={table.right}>
        <Num value={seconds} as="seconds" />
      </td>
      <td className={table.right}>
        <Num value={seconds / whole} as="percent" />
      </td>
    </>
  );
}
