/** The few things that a form says better than the schema: what the sections of a run's spec are called. */

const SECTIONS: Record<string, { title: string; help: string }> = {
  task: { title: "Task", help: "What is learnt, and from which data." },
  cluster: { title: "Cluster", help: "Who trains." },
  policy: { title: "Policy", help: "When workers wait for each other." },
  forecaster: { title: "Forecaster", help: "How the next iteration's length is predicted." },
  speed: { title: "Heterogeneity", help: "How fast each worker is." },
  transfer: { title: "Network", help: "Emulated transfer time." },
  stop: { title: "End", help: "A run ends at whichever comes first." },
};

/** Section for the settings that stand by themselves. */
export const OTHER = { title: "Measuring", help: "How often the run is evaluated and saved." };

/** Settings that the experiment gives its runs itself. */
export const NOT_IN_FORM = ["name", "seed"];

export function sectionHint(name: string, label: string): { title: string; help: string } {
  return SECTIONS[name] ?? { title: label, help: "" };
}
