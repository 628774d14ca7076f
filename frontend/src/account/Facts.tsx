import type { ReactNode } from "react";
import css from "./Account.module.css";

/** Figures with their names. */
export function Facts({ facts }: { facts: readonly (readonly [name: string, value: ReactNode, help?: string])[] }) {
  return (
    <dl className={css.facts}>
      {facts.map(([name, value, help]) => (
        <div key={name} title={help}>
          <dt>{name}</dt>
          <dd>{value}</dd>
        </div>
      ))}
    </dl>
  );
}
