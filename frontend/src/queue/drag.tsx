import type { TargetedPointerEvent } from "preact";
import { useEffect, useRef, useState, type RefObject } from "react";
import type { QueuePlace } from "../api/control";
import { placeOfGap } from "./order";
import css from "./QueueSection.module.css";

interface Drag {
  gap: number | null; // of the waiting rows, over which the pointer is; null: nothing is dragged
  begin: (event: TargetedPointerEvent<HTMLElement>, id: string) => void;
}

/**
 * Drag rows by their handles, by mouse, pen or finger. A row that is chosen takes the other chosen ones along.
 *
 * Args:
 *   body: holds the rows.
 *   order: of the rows that can be dragged; each carries its member as `data-waiting`.
 *   chosen: those that are chosen.
 *   onDrop: told who comes to stand behind how many of the others.
 */
export function useDrag(
  body: RefObject<HTMLElement | null>,
  order: readonly string[],
  chosen: ReadonlySet<string>,
  onDrop: (moved: ReadonlySet<string>, at: number) => void,
): Drag {
  const [gap, setGap] = useState<number | null>(null);
  const newest = useRef({ order, onDrop }); // runs begin to train while others are dragged
  const dragged = useRef<{ id: string; end: (isDropped: boolean) => void } | null>(null);
  useEffect(() => {
    newest.current = { order, onDrop };
    if (dragged.current && !order.includes(dragged.current.id)) dragged.current.end(false);
  });
  useEffect(() => () => dragged.current?.end(false), []);
  const begin = (event: TargetedPointerEvent<HTMLElement>, id: string) => {
    if (event.button !== 0 || order.length < 2 || dragged.current) return;
    const moved: ReadonlySet<string> = chosen.has(id) ? chosen : new Set([id]);
    let over: number | null = null;
    event.currentTarget.setPointerCapture(event.pointerId);
    const follow = (next: PointerEvent) => {
      over = gapAt(body.current, next.clientY);
      setGap(over);
    };
    const end = (isDropped: boolean) => {
      dragged.current = null;
      window.removeEventListener("pointermove", follow);
      window.removeEventListener("pointerup", drop);
      window.removeEventListener("pointercancel", abandon);
      document.removeEventListener("keydown", escape, true);
      setGap(null);
      if (isDropped && over !== null) newest.current.onDrop(moved, placeOfGap(newest.current.order, moved, over));
    };
    const drop = () => end(true);
    const abandon = () => end(false);
    const escape = (key: KeyboardEvent) => {
      if (key.key !== "Escape") return;
      key.stopPropagation();
      end(false);
    };
    dragged.current = { id, end };
    window.addEventListener("pointermove", follow);
    window.addEventListener("pointerup", drop);
    window.addEventListener("pointercancel", abandon);
    document.addEventListener("keydown", escape, true);
  };
  return { gap, begin };
}

/** The gap between waiting rows that is nearest to a height of the window. */
function gapAt(body: HTMLElement | null, y: number): number {
  const rows = [...(body?.querySelectorAll("[data-waiting]") ?? [])];
  const below = rows.findIndex((row) => {
    const { top, height } = row.getBoundingClientRect();
    return y < top + height / 2;
  });
  return below < 0 ? rows.length : below;
}

const KEYS: Record<string, QueuePlace> = { ArrowUp: "up", ArrowDown: "down", Home: "first", End: "last" };

interface HandleProps {
  name: string;
  place: number;
  num: number;
  onPoint: (event: TargetedPointerEvent<HTMLElement>) => void;
  onMove: (to: QueuePlace) => void;
  onCancel: () => void;
}

/** What a row is dragged by; with the focus on it, the arrow keys, Home and End move the row. */
export function Handle({ name, place, num, onPoint, onMove, onCancel }: HandleProps) {
  const press = (event: KeyboardEvent) => {
    const to = KEYS[event.key];
    if (event.altKey || event.ctrlKey || event.metaKey) return;
    if (to) onMove(to);
    else if (event.key === "Delete") onCancel();
    else return;
    event.preventDefault();
    event.stopPropagation();
  };
  return (
    <button
      type="button"
      className={css.handle}
      aria-label={`Move ${name}, place ${place + 1} of ${num}: arrow keys, Home and End`}
      title="Drag, or move with the arrow keys"
      onPointerDown={onPoint}
      onKeyDown={press}
    >
      <svg width="10" height="16" viewBox="0 0 10 16" aria-hidden="true">
        {[3, 8, 13].flatMap((y) => [2, 7].map((x) => <circle key={`${x} ${y}`} cx={x} cy={y} r="1.2" />))}
      </svg>
    </button>
  );
}
