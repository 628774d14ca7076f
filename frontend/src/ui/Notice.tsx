import type { ReactNode } from "react";
import css from "./Notice.module.css";

interface Props {
  kind?: "fault" | "note";
  title?: ReactNode;
  children?: ReactNode;
}

/** A sentence that must be seen: a fault is read out at once, a note when there is time. */
export function Notice({ kind = "note", title, children }: Props) {
  return (
    <div className={css.notice} data-kind={kind} role={kind === "fault" ? "alert" : "status"}>
      <svg width="16" height="16" viewBox="0 0 16 16" aria-hidden="true">
        <circle cx="8" cy="8" r="6.5" fill="none" stroke="currentColor" />
        <path d={kind === "fault" ? "M8 4v5M8 11v1.2" : "M8 7v5M8 4v1.2"} stroke="currentColor" strokeWidth="1.5" />
      </svg>
      <div>
        {title && <b>{title}</b>}
        {children}
      </div>
    </div>
  );
}
