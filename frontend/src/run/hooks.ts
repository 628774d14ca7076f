import { useState, useSyncExternalStore } from "react";

const narrow = window.matchMedia("(max-width: 699px)");

function subscribe(listener: () => void): () => void {
  narrow.addEventListener("change", listener);
  return () => narrow.removeEventListener("change", listener);
}

/** Whether the page is so narrow that the panel becomes a sheet. */
export function useIsNarrow(): boolean {
  return useSyncExternalStore(subscribe, () => narrow.matches);
}

/** A switch that the browser remembers. */
export function useStored(key: string, initial: boolean): [boolean, (value: boolean) => void] {
  const [value, setValue] = useState(() => {
    const stored = localStorage.getItem(key);
    return stored === null ? initial : stored === "1";
  });
  return [
    value,
    (next) => {
      localStorage.setItem(key, next ? "1" : "0");
      setValue(next);
    },
  ];
}
