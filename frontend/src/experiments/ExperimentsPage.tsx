import { useRef, useState } from "react";
import { api, ApiError, newIdempotencyKey } from "../api/client";
import { invalidate, useResource } from "../api/resource";
import type { Catalogue, FieldProblem } from "../api/types";
import { useKeys } from "../app/keys";
import { navigate } from "../app/router";
import { useTitle } from "../app/title";
import { controlId } from "../form/model";
import { QueueSection } from "../queue/QueueSection";
import { LoadFault } from "../ui/LoadFault";
import { Notice } from "../ui/Notice";
import { SkeletonRows } from "../ui/Skeleton";
import { CostPanel } from "./CostPanel";
import { specOf, type Draft } from "./draft";
import { ExperimentList } from "./ExperimentList";
import { PresetList } from "./PresetList";
import { SettingsForm } from "./SettingsForm";
import { SpecDialog } from "./SpecDialog";
import { useCheck } from "./useCheck";
import { forgetDraft, orderPresets, useDraft, type DraftState, type Work } from "./useDraft";
import css from "./ExperimentsPage.module.css";

/** "What do I want to know, and what will it cost?": write an experiment, start it; all experiments below. */
export function ExperimentsPage() {
  useTitle("Experiments");
  const { data: catalogue, error, isLoading } = useResource("catalogue", api.catalogue);
  return (
    <div className={css.page}>
      <div className={css.editor}>
        <h1>New experiment</h1>
        {isLoading && <Waiting />}
        {error && !catalogue && (
          <LoadFault title="The settings could not be loaded." error={error} resource="catalogue" />
        )}
        {catalogue && <Editor catalogue={catalogue} />}
      </div>
      <div className={css.lists}>
        <QueueSection />
        <ExperimentList />
      </div>
    </div>
  );
}

/** Where the form will stand; what stands below it on narrow screens is shown with it, so that nothing is pushed down. */
function Waiting() {
  return (
    <div className={css.waiting}>
      <SkeletonRows num={9} label="Loading the settings" />
    </div>
  );
}

function Editor({ catalogue }: { catalogue: Catalogue }) {
  const state = useDraft(catalogue);
  if (state.error !== "") {
    return (
      <Notice kind="fault" title="The settings could not be opened.">
        {state.error}
      </Notice>
    );
  }
  if (!state.work) return <Waiting />;
  return <Form catalogue={catalogue} state={state} work={state.work} />;
}

function Form({ catalogue, state, work }: { catalogue: Catalogue; state: DraftState; work: Work }) {
  const { root, edit } = state;
  const { draft } = work;
  const check = useCheck(draft, root);
  const form = useRef<HTMLDivElement>(null);
  const { start, isStarting, startError } = useStart(draft);
  const [isFileOpen, setFileOpen] = useState(false);
  useKeys("Experiments", {
    n: { label: "Edit the name of the new experiment", run: () => document.getElementById("experiment-name")?.focus() },
    e: { label: "Export or import the experiment as a file", run: () => setFileOpen(true) },
    s: { label: "Go to the button that starts it", run: () => document.getElementById("start-experiment")?.focus() },
  });
  return (
    <div className={css.form} ref={form}>
      <div className={css.settings}>
        <PresetList
          presets={orderPresets(catalogue.presets)}
          origin={work.origin}
          isChanged={work.isChanged}
          onChoose={state.usePreset}
          onFile={() => setFileOpen(true)}
        />
        <NameAndSeeds draft={draft} edit={edit} problems={check.problems} />
        <SettingsForm catalogue={catalogue} root={root} draft={draft} problems={check.problems} edit={edit} />
      </div>
      {isFileOpen && (
        <SpecDialog
          draft={draft}
          problems={check.problems}
          onUse={state.useSpec}
          onClose={() => setFileOpen(false)}
        />
      )}
      <div className={css.cost}>
        <CostPanel
          draft={draft}
          check={check}
          isStarting={isStarting}
          startError={startError}
          onStart={start}
          onShowProblem={(problem) => form.current && showProblem(form.current, problem)}
        />
      </div>
    </div>
  );
}

function useStart(draft: Draft) {
  const [isStarting, setStarting] = useState(false);
  const [startError, setStartError] = useState("");
  const attempt = useRef({ text: "", key: "" });
  const start = () => {
    const spec = specOf(draft);
    const text = JSON.stringify(spec);
    // The same draft started again after an unclear answer is the same experiment.
    if (attempt.current.text !== text) attempt.current = { text, key: newIdempotencyKey() };
    setStarting(true);
    setStartError("");
    api.startExperiment(spec, attempt.current.key).then(
      (experiment) => {
        attempt.current = { text: "", key: "" };
        forgetDraft();
        invalidate("experiments");
        invalidate("queue");
        navigate(`/experiments/${experiment.id}`);
      },
      (error: unknown) => {
        setStarting(false);
        if (!(error instanceof ApiError)) throw error;
        setStartError(error.message);
      },
    );
  };
  return { start, isStarting, startError };
}

interface NameProps {
  draft: Draft;
  edit: (change: (draft: Draft) => Draft) => void;
  problems: readonly FieldProblem[];
}

function NameAndSeeds({ draft, edit, problems }: NameProps) {
  const wishOf = (field: string) =>
    problems.find((one) => one.field === field || one.field.startsWith(`${field}.`))?.wish ?? "";
  return (
    <div className={css.head}>
      <div>
        <label htmlFor="experiment-name">Name</label>
        <input
          id="experiment-name"
          value={draft.name}
          maxLength={120}
          autoComplete="off"
          aria-invalid={wishOf("name") !== "" || undefined}
          aria-describedby="experiment-name-wrong"
          onChange={({ currentTarget }) => edit((old) => ({ ...old, name: currentTarget.value }))}
        />
        <span id="experiment-name-wrong" className={css.wrong} aria-live="polite">
          {wishOf("name")}
        </span>
      </div>
      <div>
        <label htmlFor="set-seeds">Seeds</label>
        <input
          id="set-seeds"
          value={draft.seeds}
          autoComplete="off"
          aria-invalid={wishOf("seeds") !== "" || undefined}
          aria-describedby="set-seeds-wrong set-seeds-help"
          onChange={({ currentTarget }) => edit((old) => ({ ...old, seeds: currentTarget.value }))}
        />
        <span id="set-seeds-wrong" className={css.wrong} aria-live="polite">
          {wishOf("seeds")}
        </span>
        <span id="set-seeds-help" className="quiet">
          Every setting is run once for each; several tell how sure a result is. 1-5 is short for five.
        </span>
      </div>
    </div>
  );
}

/** Open the section of a problem and go to its control. */
function showProblem(form: HTMLElement, problem: FieldProblem): void {
  if (problem.field === "name") document.getElementById("experiment-name")?.focus();
  const [head = ""] = problem.field.split(".");
  const sections = [...form.querySelectorAll<HTMLElement>("[data-section]")];
  const section = sections.find((one) => one.dataset["section"]?.split(" ").includes(head));
  const button = section?.querySelector<HTMLElement>("button[aria-expanded]");
  if (button?.getAttribute("aria-expanded") === "false") button.click();
  requestAnimationFrame(() => {
    const id = controlId({ idPrefix: "set-" }, problem.field);
    const target = document.getElementById(id) ?? section?.querySelector<HTMLElement>("[aria-invalid]") ?? button;
    target?.focus();
  });
}
