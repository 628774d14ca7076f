import { useMemo } from "react";
import { api } from "../api/client";
import type { RetuneChange } from "../api/control";
import { useResource } from "../api/resource";
import type { Catalogue, FieldProblem, Run } from "../api/types";
import { checkField } from "../form/check";
import { describePath, describeValue } from "../form/describe";
import { Fields, FieldRow } from "../form/FieldRow";
import type { FormModel } from "../form/model";
import { fieldAt, readSchema, settable, variantOf, type Field, type GroupField, type JsonSchema } from "../form/schema";
import { getAt, isData } from "../form/values";
import { formatSeconds, plural } from "../format";
import { Button } from "../ui/Button";
import { Notice } from "../ui/Notice";
import { useTuning, type Parts, type Retuning } from "./useTuning";
import table from "../ui/Table.module.css";
import css from "./RetunePanel.module.css";

/** Thresholds and forecaster of a run that trains, open for editing; and what was changed since its start. */
export function RetunePanel({ run, numRetuned }: { run: Run; numRetuned: number }) {
  const retuning = useTuning(run, numRetuned);
  const { data: catalogue } = useResource("catalogue", api.catalogue);
  const { tuning } = retuning;
  if (!tuning) return retuning.error === "" ? null : <Notice kind="fault">{retuning.error}</Notice>;
  const isActive = run.state === "running" || run.state === "starting";
  const shown = tuning.changes.filter(({ settings }) => settings.length > 0);
  return (
    <>
      {tuning.is_possible && catalogue && <Editor retuning={retuning} catalogue={catalogue} />}
      {!tuning.is_possible && isActive && <p className={css.why}>{tuning.reason}</p>}
      {!tuning.is_possible && retuning.refused.message !== "" && (
        <Notice kind="fault">{retuning.refused.message}</Notice>
      )}
      {shown.length > 0 && <ChangeList changes={shown} />}
    </>
  );
}

function Editor({ retuning, catalogue }: { retuning: Retuning; catalogue: Catalogue }) {
  const root = useMemo(() => readSchema(catalogue.schema as JsonSchema), [catalogue]);
  const { draft, changes, asked, isLate, refused } = retuning;
  if (!draft) return null;
  const policy = policyFields(root, draft);
  const forecaster = draft.forecaster ? fieldAt(root, "forecaster") : undefined;
  const problems = [...check(policy, forecaster, draft), ...refused.problems];
  const model = modelOf(retuning, draft, problems);
  const num = Object.keys(changes).length;
  return (
    <section className={css.panel} aria-labelledby="retune">
      <h2 id="retune">Change while it trains</h2>
      <p className={css.help}>
        What is changed here holds from the run's next decision on, for all workers, and stands in its log.
      </p>
      <form
        onSubmit={(event) => {
          event.preventDefault();
          if (num > 0 && problems.length === 0 && !asked) retuning.apply();
        }}
      >
        {policy && <Fields group={policy} path="policy" model={model} />}
        {forecaster && <FieldRow field={forecaster} path="forecaster" model={model} />}
        <div className={css.foot}>
          <Changes retuning={retuning} />
          {refused.message !== "" && <Notice kind="fault">{refused.message}</Notice>}
          <div className={css.buttons}>
            <Button kind="primary" type="submit" isBusy={asked !== null} disabled={num === 0 || problems.length > 0}>
              {asked ? "Asked, waiting for the run" : "Apply to the running run"}
            </Button>
            {num > 0 && !asked && <Button onClick={retuning.discard}>Undo</Button>}
            <span role="status">
              {isLate && "The run has not answered yet: it may be ending, or its server is busy."}
            </span>
          </div>
        </div>
      </form>
    </section>
  );
}

/** What would be changed, with what holds now. */
function Changes({ retuning: { changes, now } }: { retuning: Retuning }) {
  const rows = Object.entries(changes);
  if (rows.length === 0) return <p className="quiet">Nothing is changed yet.</p>;
  return (
    <ul className={css.changes} aria-label={plural(rows.length, "change")}>
      {rows.map(([path, value]) => (
        <li key={path}>
          <b>{describePath(path)}</b> {value === "" ? "empty" : describeValue(value)}{" "}
          <span className="quiet">is {describeValue(getAt(now, path))} now</span>
        </li>
      ))}
    </ul>
  );
}

/** All changes that took effect, newest first. */
function ChangeList({ changes }: { changes: readonly RetuneChange[] }) {
  return (
    <section className={css.list} aria-labelledby="retuned">
      <h2 id="retuned">Changed since the start</h2>
      <div className={table.scroll}>
        <table className={table.table}>
          <thead>
            <tr>
              <th scope="col" className={table.right}>
                At
              </th>
              <th scope="col">Setting</th>
              <th scope="col">Before</th>
              <th scope="col">Since then</th>
            </tr>
          </thead>
          <tbody>
            {changes.toReversed().flatMap(({ seq, at_s: atS, settings }) =>
              settings.map(({ path, before, after }, i) => (
                <tr key={`${seq} ${path}`}>
                  <td className={table.right} title={`${atS.toFixed(3)} s, event ${seq} of the log`}>
                    {i === 0 && formatSeconds(atS)}
                  </td>
                  <th scope="row">{describePath(path)}</th>
                  <td>{before === null || before === undefined ? "" : describeValue(before)}</td>
                  <td className={table.fill}>{describeValue(after)}</td>
                </tr>
              )),
            )}
          </tbody>
        </table>
      </div>
    </section>
  );
}

/** The settings of the run's policy, which stays; undefined where it has none. */
function policyFields(root: GroupField, { policy }: Parts): GroupField | undefined {
  const union = fieldAt(root, "policy");
  if (union?.kind !== "union") return undefined;
  const field = union.variants[variantOf(union, policy)]?.field;
  return field?.kind === "group" && settable(field).length > 0 ? field : undefined;
}

function check(policy: GroupField | undefined, forecaster: Field | undefined, draft: Parts): FieldProblem[] {
  return [
    ...(policy ? checkField(policy, draft.policy, "policy") : []),
    ...(forecaster ? checkField(forecaster, draft.forecaster, "forecaster") : []),
  ];
}

function modelOf(retuning: Retuning, draft: Parts, problems: FieldProblem[]): FormModel {
  return {
    valuesAt: (path) => [getAt(draft, path)],
    change: (path, _, value) => {
      // Another forecaster brings its own settings; back to the one that runs, those that it has now.
      const running = retuning.now?.forecaster;
      const isSame = path === "forecaster" && isData(value) && value["name"] === running?.["name"];
      retuning.edit(path, isSame ? running : value);
    },
    addValue: null,
    removeValue: () => undefined,
    problems,
    optionsAt: () => null,
    entriesAt: () => null,
    idPrefix: "tune-",
  };
}
