import { useId, useRef } from "react";
import { AccountTab } from "../account/AccountTab";
import type { Run } from "../api/types";
import { changeQuery, navigate, useLocation } from "../app/router";
import type { Selection } from "../timeline/selection";
import { WhatIfTab } from "../whatif/WhatIfTab";
import { TABLES_ID } from "./address";
import { LogTab } from "./LogTab";
import { NodeTable } from "./NodeTable";
import { SettingsTab } from "./SettingsTab";
import { SyncTable } from "./SyncTable";
import css from "./Tabs.module.css";

interface Props {
  run: Run;
  selectedNode: string | null;
  onSelect: (selection: Selection | null) => void;
}

const TABS = [
  { key: "nodes", label: "Nodes" },
  { key: "syncs", label: "Synchronisations" },
  { key: "why", label: "Why it waited" },
  { key: "what-if", label: "What if" },
  { key: "log", label: "Log" },
  { key: "settings", label: "Settings" },
] as const;

/** One level down: tables. Which one is open stands in the address. */
export function Tabs({ run, selectedNode, onSelect }: Props) {
  const { path, query } = useLocation();
  const id = useId();
  const list = useRef<HTMLDivElement>(null);
  const here = Math.max(0, TABS.findIndex(({ key }) => key === query.get("tab")));
  const current = (TABS[here] ?? TABS[0]).key;
  const open = (index: number) => {
    const key = (TABS[index] ?? TABS[0]).key;
    navigate(path + changeQuery(query, { tab: key === "nodes" ? null : key }), { replace: true });
  };
  const press = (event: KeyboardEvent) => {
    const by = event.key === "ArrowRight" ? 1 : event.key === "ArrowLeft" ? -1 : 0;
    if (by === 0) return;
    event.preventDefault();
    const next = (here + by + TABS.length) % TABS.length;
    open(next);
    list.current?.querySelectorAll("button")[next]?.focus();
  };
  return (
    <section id={TABLES_ID} className={css.tables} aria-label="Details of the run">
      <div ref={list} role="tablist" className={css.list} aria-label="Tables">
        {TABS.map(({ key, label }, i) => (
          <button
            key={key}
            type="button"
            role="tab"
            id={`${id}-${key}`}
            aria-selected={i === here}
            aria-controls={`${id}-panel`}
            tabIndex={i === here ? 0 : -1}
            onClick={() => open(i)}
            onKeyDown={press}
          >
            {label}
          </button>
        ))}
      </div>
      <div role="tabpanel" id={`${id}-panel`} aria-labelledby={`${id}-${current}`} className={css.panel}>
        {current === "nodes" && <NodeTable run={run} selectedNode={selectedNode} onSelect={onSelect} />}
        {current === "syncs" && <SyncTable run={run} onSelect={onSelect} />}
        {current === "why" && <AccountTab run={run} />}
        {current === "what-if" && <WhatIfTab run={run} />}
        {current === "log" && <LogTab run={run} onSelect={onSelect} />}
        {current === "settings" && <SettingsTab run={run} />}
      </div>
    </section>
  );
}
