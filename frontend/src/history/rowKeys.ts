/** Move by key among the rows of a table of runs: the focus is the place. */

const links = () => [...document.querySelectorAll<HTMLElement>("[data-row-link]")];

const currentRow = () => document.activeElement?.closest<HTMLElement>("tr[data-run]") ?? null;

/** Go so many rows down (negative: up); from outside the table to its first row. */
export function moveRow(step: number): void {
  const all = links();
  const here = currentRow()?.querySelector<HTMLElement>("[data-row-link]");
  const index = here ? all.indexOf(here) + step : 0;
  const target = all[Math.max(0, Math.min(all.length - 1, index))];
  target?.focus();
  target?.scrollIntoView({ block: "nearest" });
}

/** Do something with the run of the row that has the focus. */
export function withFocusedRun(act: (runId: string) => void): void {
  const runId = currentRow()?.dataset["run"];
  if (runId !== undefined) act(runId);
}
