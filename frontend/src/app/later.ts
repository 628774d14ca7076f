import { useEffect, useState } from "react";

/**
 * Give what is drawn after the first painting of a page, e.g. what draws its charts; undefined until then.
 *
 * Args:
 *   load: fetches it; the same function in every drawing. Its failure is thrown, for the page to show.
 *   isTime: false while it has to wait for something else, too.
 */
export function useLater<T extends object>(load: () => Promise<T>, isTime = true): T | undefined {
  const [found, setFound] = useState<T | Error>();
  useEffect(() => {
    if (!isTime) return;
    let isShown = true;
    const show = (next: T | Error) => isShown && setFound(next);
    const fail = (error: unknown) => show(error instanceof Error ? error : new Error(String(error)));
    const stop = afterPaint(() => void load().then(show, fail));
    return () => {
      isShown = false;
      stop();
    };
  }, [load, isTime]);
  if (found instanceof Error) throw found;
  return found;
}

/** False in the first drawing, so that what stands on top is seen before what takes long is made. */
export function useIsPainted(): boolean {
  const [isPainted, setPainted] = useState(false);
  useEffect(() => afterPaint(() => setPainted(true)), []);
  return isPainted;
}

const SEEN_ROWS = 30; // more than the box of a long table shows
const SETTLED_MS = 1500;

/** Give how many rows of a long table are drawn: at first those that its box shows, a moment later all of them. */
export function useRowsByNow(num: number): number {
  const [hasSettled, setSettled] = useState(false);
  useEffect(() => {
    const timer = window.setTimeout(() => setSettled(true), SETTLED_MS);
    return () => window.clearTimeout(timer);
  }, []);
  return hasSettled ? num : Math.min(num, SEEN_ROWS);
}

/** Call back once what has just been drawn was painted; gives what calls it off. */
function afterPaint(then: () => void): () => void {
  let timer: number | undefined;
  const frame = requestAnimationFrame(() => {
    timer = window.setTimeout(then);
  });
  return () => {
    cancelAnimationFrame(frame);
    window.clearTimeout(timer);
  };
}
