import type { ReactNode } from "react";
import table from "../ui/Table.module.css";
import css from "./Account.module.css";

/** The box in which a table scrolls, also by the keyboard. */
export function Scroll({ label, isTall = false, children }: { label: string; isTall?: boolean; children: ReactNode }) {
  return (
    // A box that scrolls must be within reach of the keyboard.
    // eslint-disable-next-line jsx-a11y/no-noninteractive-tabindex
    <div className={`${table.scroll ?? ""} ${isTall ? (css.tall ?? "") : ""}`} tabIndex={0} role="group" aria-label={label}>
      {children}
    </div>
  );
}
