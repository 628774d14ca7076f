/** What the command palette offers, as a list of commands in groups. */

import { api, ApiError } from "../api/client";
import { invalidate } from "../api/resource";
import { isActive } from "../api/states";
import type { Catalogue, ExperimentInfo, Run } from "../api/types";
import { toast } from "../ui/Toasts";
import { match } from "./fuzzy";
import { activeKeys, namesOfKeys } from "./keys";
import { currentUrl, navigate, type Page } from "./router";
import { chooseTheme, THEMES, themeChoice } from "./theme";

export interface Command {
  id: string;
  group: string;
  label: string;
  detail?: string; // beside it, quieter; found by the search too
  keys?: string[]; // that do the same
  run: () => void;
}

/** A command that matches, with the places of its label's letters that were meant. */
export interface Found extends Command {
  at: number[];
  score: number;
}

const MOST_OF_GROUP = 8;

/** Everything that can be done from here, without what has to be asked for. */
export function localCommands(page: Page, catalogue: Catalogue | undefined, run: Run | undefined): Command[] {
  return [...keyCommands(), ...runCommands(page, run), ...places(), ...starts(catalogue), ...themes()];
}

/** What has a key on this page can be chosen by name, too. */
function keyCommands(): Command[] {
  return activeKeys()
    .filter(({ title }) => title !== "Everywhere")
    .toReversed()
    .flatMap(({ title, keys }) =>
      Object.entries(keys)
        .filter(([, action]) => !action.isHidden)
        .map(([key, action]) => ({
          id: `key ${title} ${key}`,
          group: "On this page",
          label: action.label,
          keys: namesOfKeys(key),
          run: () => action.run(new KeyboardEvent("keydown", { key })),
        })),
    );
}

function runCommands(page: Page, run: Run | undefined): Command[] {
  if (page.name !== "run" || !run) return [];
  const group = "This run";
  const path = `/runs/${encodeURIComponent(run.id)}`;
  const commands: Command[] = [
    {
      id: "run experiment",
      group,
      label: "Open its experiment",
      detail: run.experiment_name,
      run: () => navigate(`/experiments/${encodeURIComponent(run.experiment_id)}`),
    },
    {
      id: "run settings",
      group,
      label: run.state === "running" && !run.is_simulated ? "Change its settings while it trains" : "Show its settings",
      run: () => navigate(`${path}?tab=settings`, { replace: true }),
    },
    {
      id: "run as experiment",
      group,
      label: "Use its settings for a new experiment",
      run: () => navigate(`/experiments?clone=${encodeURIComponent(run.id)}`),
    },
    { id: "run link", group, label: "Copy the link to it", run: () => void copyLink() },
  ];
  if (isActive(run.state) && run.state !== "stopping")
    commands.push({
      id: "run stop",
      group,
      label: run.state === "queued" ? "Take it out of the queue" : "Stop it",
      run: () => void send(() => api.stopRun(run.id), "The run is asked to stop."),
    });
  if ((run.state === "stopped" || run.state === "failed") && !run.is_simulated)
    commands.push({
      id: "run resume",
      group,
      label: "Go on from its checkpoint",
      run: () => void send(() => api.resumeRun(run.id), "The run goes on as soon as there is a place."),
    });
  return commands;
}

async function send(request: () => Promise<Run>, done: string): Promise<void> {
  try {
    const run = await request();
    for (const prefix of [`run:${run.id}`, "runs", "experiment", "queue"]) invalidate(prefix);
    toast({ text: done });
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    toast({ text: error.message });
  }
}

async function copyLink(): Promise<void> {
  const link = window.location.origin + currentUrl();
  try {
    await navigator.clipboard.writeText(link);
    toast({ text: "The link was copied." });
  } catch {
    toast({ text: `The browser does not let the page copy: ${link}` });
  }
}

function places(): Command[] {
  const group = "Go to";
  return [
    { id: "go experiments", group, label: "Experiments", keys: ["g", "e"], run: () => navigate("/experiments") },
    { id: "go history", group, label: "History", detail: "all runs", keys: ["g", "h"], run: () => navigate("/runs") },
    { id: "go queue", group, label: "Queue", keys: ["g", "q"], run: goToQueue },
    {
      id: "go active",
      group,
      label: "Runs that train or wait",
      run: () => navigate("/runs?state=queued,starting,running,stopping"),
    },
    { id: "go failed", group, label: "Runs that failed", run: () => navigate("/runs?state=failed") },
  ];
}

/** Show the queue, which stands on the page of the experiments. */
export function goToQueue(): void {
  navigate("/experiments#queue");
  // After the page is drawn; it may be there already, or still be loaded.
  let numTries = 0;
  const show = () => {
    const queue = document.getElementById("queue");
    if (queue) {
      queue.scrollIntoView({ block: "start" });
      queue.focus({ preventScroll: true });
    } else if ((numTries += 1) < 60) requestAnimationFrame(show);
  };
  requestAnimationFrame(show);
}

function starts(catalogue: Catalogue | undefined): Command[] {
  const group = "New experiment";
  return [
    { id: "new", group, label: "New experiment", detail: "the form", run: () => navigate("/experiments") },
    ...(catalogue?.presets ?? []).map(({ name, title }) => ({
      id: `preset ${name}`,
      group,
      label: `New experiment: ${title}`,
      run: () => navigate(`/experiments?preset=${encodeURIComponent(name)}`),
    })),
  ];
}

function themes(): Command[] {
  const current = themeChoice();
  return THEMES.map(({ choice, label }) => ({
    id: `theme ${choice}`,
    group: "Theme",
    label: `Theme: ${label.charAt(0).toLowerCase()}${label.slice(1)}`,
    ...(choice === current && { detail: "chosen" }),
    run: () => chooseTheme(choice),
  }));
}

export function runsAsCommands(runs: readonly Run[]): Command[] {
  return runs.map((run) => ({
    id: `run ${run.id}`,
    group: "Runs",
    label: run.name,
    detail: [
      run.spec.policy.name.replaceAll("_", " "),
      run.experiment_name !== run.name && run.experiment_name,
      run.state,
    ]
      .filter(Boolean)
      .join(" · "),
    run: () => navigate(`/runs/${encodeURIComponent(run.id)}`),
  }));
}

export function experimentsAsCommands(experiments: readonly ExperimentInfo[]): Command[] {
  return experiments.map(({ id, name, num_runs: num }) => ({
    id: `experiment ${id}`,
    group: "Experiments",
    label: name,
    detail: num === 1 ? "1 run" : `${num} runs`,
    run: () => navigate(`/experiments/${encodeURIComponent(id)}`),
  }));
}

/** Commands that match, in groups: the group of the best match first, the best match first in each. */
export function find(commands: readonly Command[], query: string): { group: string; found: Found[] }[] {
  const groups = new Map<string, Found[]>();
  for (const command of commands) {
    const inLabel = match(query, command.label);
    const inBoth = inLabel ?? match(query, `${command.label} ${command.detail ?? ""} ${command.group}`);
    if (!inBoth) continue;
    const at = inBoth.at.filter((place) => place < command.label.length);
    const group = groups.get(command.group) ?? [];
    groups.set(command.group, [...group, { ...command, at, score: inBoth.score - (inLabel ? 0 : 10) }]);
  }
  const sorted = [...groups].map(([group, found]) => ({
    group,
    found: (query.trim() === "" ? found : found.toSorted((a, b) => b.score - a.score)).slice(0, MOST_OF_GROUP),
  }));
  if (query.trim() === "") return sorted;
  const best = ({ found }: { found: Found[] }) => found[0]?.score ?? 0;
  return sorted.toSorted((a, b) => best(b) - best(a));
}
