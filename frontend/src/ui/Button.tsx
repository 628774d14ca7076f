import type { ButtonHTMLAttributes, ComponentProps } from "react";
import { Link } from "../app/Link";
import css from "./Button.module.css";

export type ButtonKind = "plain" | "primary" | "quiet" | "danger";

type Props = Omit<ButtonHTMLAttributes, "className"> & { className?: string; kind?: ButtonKind; isBusy?: boolean };

/** A button. `isBusy` keeps its place and its focus while something is under way. */
export function Button({ kind = "plain", isBusy = false, className = "", onClick, ...rest }: Props) {
  return (
    <button
      type="button"
      {...rest}
      className={`${css.button ?? ""} ${className}`}
      data-kind={kind}
      aria-busy={isBusy || undefined}
      onClick={isBusy ? (event) => event.preventDefault() : onClick}
    />
  );
}

type LinkProps = ComponentProps<typeof Link> & { kind?: ButtonKind };

/** A link that looks like a button. */
export function ButtonLink({ kind = "plain", className = "", ...rest }: LinkProps) {
  return <Link {...rest} className={`${css.button ?? ""} ${className}`} data-kind={kind} />;
}
