import type { ButtonHTMLAttributes } from "react";
import css from "./Button.module.css";

type Props = Omit<ButtonHTMLAttributes, "className"> & { "aria-label": string };

/** A button that shows one sign; `aria-label` says what it does. */
export function IconButton(props: Props) {
  return <button type="button" {...props} className={css.icon} />;
}

/** The one that closes or folds what it stands in. */
export function CloseButton(props: Omit<Props, "children">) {
  return (
    <IconButton {...props}>
      <Cross />
    </IconButton>
  );
}

/** The sign of it. */
export function Cross() {
  return (
    <svg width="12" height="12" viewBox="0 0 12 12" aria-hidden="true">
      <path d="M2 2l8 8M10 2l-8 8" stroke="currentColor" strokeWidth="1.5" />
    </svg>
  );
}
