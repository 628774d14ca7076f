import { useState } from "react";
import { useMedia } from "../ui/media";

/** Whether the page is so narrow that the panel becomes a sheet. */
export const useIsNarrow = () => useMedia("(max-width: 699px)");

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
