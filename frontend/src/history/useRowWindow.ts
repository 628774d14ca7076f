import { useEffect, useRef, useState, type RefObject } from "react";
import { useIsPainted } from "../app/later";

const FROM_ROWS = 150; // fewer are drawn all
const FIRST_ROWS = 40; // of these, what is drawn in the first frame; the others follow in the next ones
const SPARE_ROWS = 30; // above and below what is seen

interface RowWindow {
  body: RefObject<HTMLTableSectionElement | null>;
  first: number;
  last: number; // one behind the last that is drawn
  heightPx: number; // of a row, for what stands in place of the others
}

/** Of a long table, draw the rows that are seen: the page scrolls as if all of them were there. */
export function useRowWindow(numRows: number): RowWindow {
  const body = useRef<HTMLTableSectionElement>(null);
  const isLong = numRows > FROM_ROWS;
  const hasBegun = useIsPainted();
  const [seen, setSeen] = useState({ first: 0, last: FIRST_ROWS, heightPx: 28 });
  useEffect(() => {
    if (!isLong) return;
    let frame = 0;
    const look = () => {
      frame = 0;
      const table = body.current;
      if (!table) return;
      const heightPx = table.querySelector<HTMLElement>("tr[data-run]")?.getBoundingClientRect().height || 28;
      const above = -table.getBoundingClientRect().top / heightPx;
      const first = Math.max(0, Math.floor(above) - SPARE_ROWS);
      const last = Math.ceil(above + window.innerHeight / heightPx) + SPARE_ROWS;
      setSeen((old) =>
        Math.abs(old.first - first) < SPARE_ROWS / 3 &&
        Math.abs(old.last - last) < SPARE_ROWS / 3 &&
        old.heightPx === heightPx
          ? old
          : { first, last: Math.max(last, SPARE_ROWS), heightPx },
      );
    };
    const ask = () => (frame ||= requestAnimationFrame(look));
    ask();
    window.addEventListener("scroll", ask, { passive: true });
    window.addEventListener("resize", ask);
    return () => {
      cancelAnimationFrame(frame);
      window.removeEventListener("scroll", ask);
      window.removeEventListener("resize", ask);
    };
  }, [isLong, numRows]);
  if (!isLong) {
    return { body, first: 0, last: hasBegun ? numRows : Math.min(numRows, FIRST_ROWS), heightPx: seen.heightPx };
  }
  const last = Math.min(numRows, seen.last);
  return { body, first: Math.min(seen.first, Math.max(0, last - 1)), last, heightPx: seen.heightPx };
}
