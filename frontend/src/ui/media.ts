import { useMemo, useSyncExternalStore } from "react";

/** Whether the window matches a media query, also after it has changed its size. */
export function useMedia(query: string): boolean {
  const [subscribe, matches] = useMemo(() => {
    const list = window.matchMedia(query);
    const listen = (listener: () => void) => {
      list.addEventListener("change", listener);
      return () => list.removeEventListener("change", listener);
    };
    return [listen, () => list.matches] as const;
  }, [query]);
  return useSyncExternalStore(subscribe, matches);
}
