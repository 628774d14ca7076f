import type { ReactNode } from "react";
import css from "./Account.module.css";

interface Props {
  title: string;
  basis?: string; // measured, simulated or predicted
  note?: ReactNode;
  children: ReactNode;
}

/** A part of the page: a title, what its figures rest on, and the figures. */
export function Panel({ title, basis, note, children }: Props) {
  return (
    <section className={css.panel} aria-label={title}>
      <h2 className={css.title}>
        {title}
        {basis && <span className={css.basis}>{basis}</span>}
      </h2>
      {note && <p className={css.note}>{note}</p>}
      {children}
    </section>
  );
}
