/** The stretch of time that is seen and what is selected, in the address: every view can be linked. */

import { useEffect, useRef } from "react";
import { changeQuery, currentQuery, currentUrl, navigate, useLocation } from "../app/router";
import type { Selection } from "../timeline/selection";
import type { Session } from "./session";

/** Of the section with the tables, which other parts of the page may scroll to. */
export const TABLES_ID = "tables";

const REST_MS = 400; // the address follows once the view rests for so long
const DIGITS = 5; // of a time, as a share of what is seen: less than a hundredth of a pixel

/** Write a selection: "span:worker-3:12.345". */
export function writeSelection(selection: Selection | null): string | null {
  if (!selection) return null;
  switch (selection.kind) {
    case "node":
      return `node:${selection.node}`;
    case "entry":
      return `entry:${selection.node ?? ""}:${selection.seq}`;
    case "stretch":
      return `stretch:${selection.node}:${selection.atS}:${selection.lengthS}`;
    default:
      return `${selection.kind}:${selection.node}:${selection.atS}`;
  }
}

/** Read a selection; null for what is none. */
export function readSelection(text: string | null): Selection | null {
  const [kind, node = "", ...rest] = (text ?? "").split(":");
  const [first = NaN, second = NaN] = rest.map(Number);
  if (kind === "entry") return Number.isInteger(first) ? { kind, node: node || null, seq: first } : null;
  if (!/^(server|evaluator|worker-\d+)$/.test(node)) return null;
  if (kind === "node") return { kind, node };
  if (!Number.isFinite(first)) return null;
  if (kind === "stretch") return second > 0 && Number.isFinite(second) ? { kind, node, atS: first, lengthS: second } : null;
  return kind === "span" || kind === "sync" || kind === "window" ? { kind, node, atS: first } : null;
}

/** Write the ends of a stretch as exactly as they can be seen. */
export function writeStretch(fromS: number, toS: number): { from: string; to: string } {
  const decimals = Math.min(12, Math.max(0, Math.ceil(DIGITS - Math.log10(toS - fromS))));
  return { from: String(Number(fromS.toFixed(decimals))), to: String(Number(toS.toFixed(decimals))) };
}

/** Keep the address in step with the view, and the view with an address that was opened. */
export function useAddress(session: Session, selection: Selection | null): void {
  const { view, loop } = session;
  const { query } = useLocation();
  const from = query.get("from");
  const to = query.get("to");
  const written = useRef("");
  const newest = useRef(selection);

  useEffect(() => {
    if (from === null || to === null || `${from} ${to}` === written.current) return;
    written.current = `${from} ${to}`;
    view.restore(Number(from), Number(to));
  }, [view, from, to]);

  useEffect(() => {
    newest.current = selection;
    loop.request();
  }, [selection, loop]);

  useEffect(() => {
    let timer: ReturnType<typeof setTimeout> | undefined;
    let seen = "";
    const write = () => {
      const stretch = view.isFollowing ? null : writeStretch(view.fromS, view.toS);
      const changes = { from: stretch?.from ?? null, to: stretch?.to ?? null, sel: writeSelection(newest.current) };
      const next = window.location.pathname + changeQuery(currentQuery(), changes);
      written.current = `${changes.from} ${changes.to}`;
      if (next !== currentUrl()) navigate(next, { replace: true });
    };
    const stop = loop.add(() => {
      if (!view.isReady) return false;
      const key = `${view.isFollowing ? "" : `${view.fromS} ${view.toS}`} ${writeSelection(newest.current)}`;
      if (key === seen) return false;
      seen = key;
      clearTimeout(timer);
      timer = setTimeout(write, REST_MS);
      return false;
    });
    return () => {
      stop();
      clearTimeout(timer);
    };
  }, [view, loop]);
}
