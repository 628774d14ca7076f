import type { TargetedMouseEvent } from "preact";
import type { AnchorHTMLAttributes } from "react";
import { navigate } from "./router";

type Props = Omit<AnchorHTMLAttributes, "href" | "role" | "className"> & { to: string; className?: string | undefined };

/** Whether a click follows the link here, and not in another tab or window. */
export function isPlainClick(event: MouseEvent): boolean {
  return event.button === 0 && !event.metaKey && !event.ctrlKey && !event.shiftKey && !event.altKey;
}

/** A real link that the router follows without a reload; a new tab, a download or a copy work as ever. */
export function Link({ to, onClick, children, ...rest }: Props) {
  const follow = (event: TargetedMouseEvent<HTMLAnchorElement>) => {
    onClick?.(event);
    if (event.defaultPrevented || !isPlainClick(event)) return;
    event.preventDefault();
    navigate(to);
  };
  return (
    <a {...rest} href={to} onClick={follow}>
      {children}
    </a>
  );
}
