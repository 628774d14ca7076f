import { useMemo, useState } from "react";
import { api, ApiError } from "../api/client";
import { invalidate, useResource } from "../api/resource";
import { isActive } from "../api/states";
import type { Catalogue, Run } from "../api/types";
import { changeQuery, navigate, useLocation } from "../app/router";
import { describePolicy } from "../form/policy";
import { usePolicies } from "../form/PolicyText";
import { fieldAt, readSchema, type GroupField, type JsonSchema } from "../form/schema";
import { isSame, type Data } from "../form/values";
import { formatDelta, formatPercent, plural } from "../format";
import { Button } from "../ui/Button";
import { Notice } from "../ui/Notice";
import { Progress } from "../ui/Progress";
import { SkeletonRows } from "../ui/Skeleton";
import { errorOf, rowsOf, type Answers } from "./answers";
import { DEFAULTS, defaultChoices, numQuestions, policiesOf, problemOf, readChoices, settingsOf, toRequest, variantNamed, writeChoices, type Choice } from "./choices";
import { PolicyPicker } from "./PolicyPicker";
import { PredictionTable } from "./PredictionTable";
import { useAnswers } from "./useAnswers";
import css from "./whatif.module.css";

const MAX_QUESTIONS = 64; // as the server

/** What this run would have been under other policies; what is asked stands in the address. */
export function WhatIfTab({ run }: { run: Run }) {
  const { data: catalogue, error } = useResource("catalogue", api.catalogue);
  if (catalogue) return <Loaded run={run} catalogue={catalogue} />;
  if (error) return <Notice kind="fault">{error.message}</Notice>;
  return <SkeletonRows num={6} label="Loading the policies" />;
}

function Loaded({ run, catalogue }: { run: Run; catalogue: Catalogue }) {
  const root = useMemo(() => readSchema(catalogue.schema as JsonSchema), [catalogue]);
  const policies = useMemo(() => policiesOf(root), [root]);
  const { path, query } = useLocation();
  const asked = query.get("policies");
  const forecaster = query.get("forecaster");
  const [attempt, setAttempt] = useState(0);
  const choices = useMemo(() => readChoices(asked, policies), [asked, policies]);
  const request = useMemo(() => {
    if (choices.length === 0) return null;
    return { policies: toRequest(choices), forecaster: forecaster ? { name: forecaster } : null };
  }, [choices, forecaster]);
  const { answers, error } = useAnswers(run.id, request, attempt);
  const change = (changes: Record<string, string | null>) => navigate(path + changeQuery(query, changes), { replace: true });
  const ask = (next: Choice[], nextForecaster: string | null) => {
    change({ policies: writeChoices(next, policies), forecaster: nextForecaster, pick: null });
  };
  if (run.summary.num_iterations === 0) return <p className="quiet">Nothing can be predicted yet: the run has no finished iteration.</p>;
  return (
    <div className={css.tab}>
      <Asking key={`${asked ?? ""} ${forecaster ?? ""}`} root={root} run={run} choices={choices} forecaster={forecaster} isDefault={asked === DEFAULTS} onAsk={ask} />
      {error !== "" && (
        <Notice kind="fault" title="There is no answer.">
          <p>{error}</p>
        </Notice>
      )}
      {request !== null && error === "" && <Status answers={answers} />}
      {answers.recorded && (
        <>
          <PredictionTable run={run} answers={answers} selectedKey={query.get("pick")} onSelect={(key) => change({ pick: key })} />
          <Key />
          <Start run={run} answers={answers} selectedKey={query.get("pick")} />
          {isActive(run.state) && run.last_seq > answers.lastSeq && answers.doing === "done" && (
            <p>
              The run has gone on since. <Button onClick={() => setAttempt(attempt + 1)}>Predict again from all that is recorded now</Button>
            </p>
          )}
          <Limits answers={answers} />
        </>
      )}
    </div>
  );
}

interface AskingProps {
  root: GroupField;
  run: Run;
  choices: Choice[]; // that the address names
  forecaster: string | null;
  isDefault: boolean;
  onAsk: (choices: Choice[], forecaster: string | null) => void;
}

function Asking({ root, run, choices, forecaster, isDefault, onAsk }: AskingProps) {
  const policies = policiesOf(root);
  const [draft, setDraft] = useState(choices.length > 0 ? choices : defaultChoices(policies));
  const [draftForecaster, setForecaster] = useState(forecaster);
  const [isOpen, setOpen] = useState(choices.length > 0 && !isDefault);
  const num = numQuestions(draft);
  const isChanged = !isSame(draft, choices) || draftForecaster !== forecaster;
  const wish = wishOf(draft, num, policies);
  return (
    <section aria-label="What to predict">
      <p className={css.lead}>
        The same work under other policies, predicted from the times that were {run.is_simulated ? "simulated" : "measured"} in this run.
      </p>
      <div className={css.actions}>
        {!isOpen && choices.length === 0 && (
          <Button kind="primary" onClick={() => onAsk(defaultChoices(policies), null)} title="Every policy with its defaults, and ssp with the thresholds 1, 2, 4 and 8">
            Predict all policies
          </Button>
        )}
        {isOpen && (
          <Button kind="primary" disabled={wish !== "" || !isChanged} onClick={() => onAsk(draft, draftForecaster)}>
            Predict {plural(num, "policy", "policies")}
          </Button>
        )}
        <Button onClick={() => setOpen(!isOpen)} aria-expanded={isOpen}>
          {isOpen ? "Hide the choice" : "Choose policies"}
        </Button>
        {isOpen && <ForecasterSelect root={root} run={run} value={draftForecaster} onChange={setForecaster} />}
        {isOpen && wish !== "" && <span className={css.wrong}>{wish}</span>}
      </div>
      {isOpen && <PolicyPicker policies={policies} choices={draft} onChange={setDraft} />}
    </section>
  );
}

function wishOf(draft: readonly Choice[], num: number, policies: ReturnType<typeof policiesOf>): string {
  if (draft.length === 0) return "Choose at least one policy.";
  if (num > MAX_QUESTIONS) return `At most ${MAX_QUESTIONS} can be predicted at once; these are ${num}.`;
  const isWrong = draft.some(({ name, values }) => {
    const variant = variantNamed(policies, name);
    return variant && settingsOf(variant).some((field) => values[field.name] !== undefined && problemOf(values[field.name] ?? [], field) !== "");
  });
  return isWrong ? "A value cannot be used." : "";
}

function ForecasterSelect({ root, run, value, onChange }: { root: GroupField; run: Run; value: string | null; onChange: (value: string | null) => void }) {
  const field = fieldAt(root, "forecaster");
  if (field?.kind !== "union") return null;
  return (
    <label className={css.forecaster}>
      Forecaster
      <select value={value ?? ""} onChange={({ currentTarget }) => onChange(currentTarget.value || null)}>
        <option value="">as recorded ({run.spec_in_force.forecaster.name})</option>
        {field.variants.map(({ label, help }) => (
          <option key={label} value={label} title={help}>
            {label.replaceAll("_", " ")}
          </option>
        ))}
      </select>
    </label>
  );
}

function Status({ answers }: { answers: Answers }) {
  const { questions, predicted, doing, share, detail } = answers;
  const num = predicted.filter(Boolean).length;
  if (detail !== "") {
    return (
      <Notice kind="fault" title={num > 0 ? "Not everything was predicted." : "Nothing was predicted."}>
        <p>{detail}</p>
      </Notice>
    );
  }
  if (doing === "done") {
    const error = errorOf(answers);
    return (
      <p role="status" className={css.status}>
        {plural(num, "prediction")}.
        {error !== null && ` The recorded policy, predicted again, is off by ${formatDelta(error, formatPercent)}: that much the model leaves out.`}
      </p>
    );
  }
  const text = { waiting: "Another prediction is computed first", reading: "Reading the log", predicting: `Predicted ${num} of ${questions.length}` }[doing];
  const done = doing === "predicting" ? num / Math.max(1, questions.length) : (share ?? 0);
  return (
    <p role="status" className={css.status}>
      <Progress share={done} label={text} /> {text}
    </p>
  );
}

function Key() {
  return (
    <p className={css.key} aria-hidden="true">
      Length of a bar: makespan. In it, what the workers do:
      {(["compute", "transfer", "wait"] as const).map((state) => (
        <span key={state}>
          <span className={css.swatch} data-state={state} /> {state === "wait" ? "waiting" : state === "compute" ? "computing" : state}
        </span>
      ))}
    </p>
  );
}

function Start({ run, answers, selectedKey }: { run: Run; answers: Answers; selectedKey: string | null }) {
  const [isBusy, setBusy] = useState(false);
  const [refusal, setRefusal] = useState("");
  const policies = usePolicies();
  const row = rowsOf(answers).find(({ key, predicted }) => key === selectedKey && predicted?.figures);
  const what = run.is_simulated ? "as a simulated run" : "as a real run";
  const start = async ({ policy, forecaster }: { policy: Data; forecaster: Data }) => {
    setBusy(true);
    setRefusal("");
    try {
      const changes: Record<string, unknown> = { policy };
      if (!isSame(forecaster, run.spec_in_force.forecaster)) changes["forecaster"] = forecaster;
      const clone = await api.cloneRun(run.id, changes);
      invalidate("runs");
      invalidate("experiment");
      invalidate("queue");
      navigate(`/runs/${clone.id}`);
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      setRefusal(error.message);
      setBusy(false);
    }
  };
  return (
    <div className={css.start} data-ready={row ? true : undefined}>
      <Button kind="primary" disabled={!row} isBusy={isBusy} onClick={() => row && void start(row.question)}>
        {row ? `Start ${describePolicy(row.question.policy, policies)} ${what}` : `Start ${what}`}
      </Button>
      <span className="quiet">{row ? "All other settings stay, the seed too." : "Select a prediction to see whether it holds."}</span>
      {refusal !== "" && <Notice kind="fault">{refusal}</Notice>}
    </div>
  );
}

function Limits({ answers }: { answers: Answers }) {
  return (
    <ul className={css.limits} aria-label="What the predictions do not say">
      {[...(answers.recorded?.notes ?? []), ...answers.limits].map((text) => (
        <li key={text}>{text}</li>
      ))}
    </ul>
  );
}

