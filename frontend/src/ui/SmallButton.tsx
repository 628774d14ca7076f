import type { ButtonHTMLAttributes } from "react";
import css from "./Button.module.css";

type Props = Omit<ButtonHTMLAttributes, "className"> & { className?: string };

/** A quiet button of a word or a sign, in the line of what it changes. */
export function SmallButton({ className = "", ...rest }: Props) {
  return <button type="button" {...rest} className={`${css.small ?? ""} ${className}`} />;
}
