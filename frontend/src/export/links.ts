/** What can be taken away of runs, and the addresses that give it. */

const PREFIX = "/api/v1";

export interface Choice {
  label: string; // of the link
  href: string;
}

export interface Offer {
  name: string;
  help: string;
  choices: Choice[];
}

const TABLES = [
  { table: "iterations", name: "Iterations", help: "A row for each: times, loss, forecast" },
  { table: "synchronisations", name: "Synchronisations", help: "A row for each update: who, how stale, planned when" },
  { table: "evaluations", name: "Evaluations", help: "Loss and accuracy on the held-back set" },
  { table: "nodes", name: "Nodes", help: "Processor, memory and bytes, each second" },
] as const;

const FORMATS = { csv: "CSV", parquet: "Parquet", json: "JSON" } as const;

/** What one run offers. */
export function offersOfRun(runId: string): Offer[] {
  const href = (query: string) => `${PREFIX}/runs/${encodeURIComponent(runId)}/export?${query}`;
  const formats = Object.entries(FORMATS);
  return [
    { name: "Report", help: "One page that opens anywhere, offline", choices: [{ label: "HTML", href: href("format=html") }] },
    { name: "Timeline", help: "Opens in ui.perfetto.dev", choices: [{ label: "Trace", href: href("format=perfetto") }] },
    ...TABLES.map(({ table, name, help }) => ({
      name,
      help,
      choices: formats.map(([format, label]) => ({ label, href: href(`format=${format}&table=${table}`) })),
    })),
    {
      name: "Events",
      help: "The whole log; CSV and Parquet: a ZIP, a file for each kind",
      choices: [
        { label: "CSV", href: href("format=csv") },
        { label: "Parquet", href: href("format=parquet&table=events") },
        { label: "JSON", href: href("format=json") },
        { label: "JSON Lines", href: href("format=jsonl") },
      ],
    },
  ];
}

/** What several runs offer together. */
export function offersOfRuns(runIds: readonly string[]): Offer[] {
  const href = (format: string) => `${PREFIX}/export?runs=${runIds.map(encodeURIComponent).join(",")}&format=${format}`;
  return [
    { name: "Report", help: "The comparison as one page, offline", choices: [{ label: "HTML", href: href("html") }] },
    {
      name: "Table",
      help: "A row for each run: every setting, every figure",
      choices: Object.entries(FORMATS).map(([format, label]) => ({ label, href: href(format) })),
    },
  ];
}
