import { useEffect, useRef, useState, type RefObject } from "react";

const FIRST_ROWS = 32; // as many as the box shows, and some more
const SPARE_ROWS = 12; // above and below what is seen
const ROW_PX = 28; // the true height is measured

interface RowsInView {
  box: RefObject<HTMLDivElement | null>;
  first: number;
  last: number; // one behind the last that is drawn
  rowPx: number; // height of a row, for what stands in place of the others
}

/** Of a table that scrolls in a box of its own, draw the rows that are seen; while `isWhole`, all of them. */
export function useRowsInView(numRows: number, isWhole: boolean): RowsInView {
  const box = useRef<HTMLDivElement>(null);
  const [seen, setSeen] = useState({ first: 0, last: FIRST_ROWS, rowPx: ROW_PX });
  useEffect(() => {
    const { current } = box;
    if (isWhole || !current) return;
    let frame = 0;
    const look = () => {
      frame = 0;
      const rowPx = current.querySelector("tr[data-row]")?.getBoundingClientRect().height || ROW_PX;
      const first = Math.max(0, Math.floor(current.scrollTop / rowPx) - SPARE_ROWS);
      const last = Math.max(FIRST_ROWS, Math.ceil((current.scrollTop + current.clientHeight) / rowPx) + SPARE_ROWS);
      setSeen((old) => (isNear(old.first, first) && isNear(old.last, last) && old.rowPx === rowPx ? old : { first, last, rowPx }));
    };
    const ask = () => void (frame ||= requestAnimationFrame(look));
    current.addEventListener("scroll", ask, { passive: true });
    return () => {
      cancelAnimationFrame(frame);
      current.removeEventListener("scroll", ask);
    };
  }, [isWhole]);
  if (isWhole) return { box, first: 0, last: numRows, rowPx: seen.rowPx };
  const last = Math.min(numRows, seen.last);
  return { box, first: Math.min(seen.first, Math.max(0, last - 1)), last, rowPx: seen.rowPx };
}

function isNear(one: number, other: number): boolean {
  return Math.abs(one - other) < SPARE_ROWS / 2;
}
