import { useState } from "react";
import type { Catalogue, FieldProblem } from "../api/types";
import { describeValue } from "../form/describe";
import { describePolicy } from "../form/policy";
import { Fields, FieldRow } from "../form/FieldRow";
import { isWithin, type FormModel, type Option } from "../form/model";
import type { Field, GroupField } from "../form/schema";
import { getAt, isData } from "../form/values";
import { addValue, changeValue, isPerWorker, NUM_WORKERS, removeValue, valuesAt, type Draft } from "./draft";
import { NOT_IN_FORM, OTHER, sectionHint } from "./hints";
import css from "./SettingsForm.module.css";

interface Props {
  catalogue: Catalogue;
  root: GroupField;
  draft: Draft;
  problems: readonly FieldProblem[];
  edit: (change: (draft: Draft) => Draft) => void;
  isGridAllowed?: boolean; // settings may take several values
  isOpen?: boolean; // all sections stand open at first
}

interface Section {
  name: string;
  title: string;
  help: string;
  fields: Field[]; // one group or union, or the settings that stand by themselves
}

/** A run's settings by section: folded, a section is one line that says what is set. */
export function SettingsForm({ catalogue, root, draft, problems, edit, isGridAllowed = true, isOpen = false }: Props) {
  const model: FormModel = {
    valuesAt: (path) => valuesAt(draft, path),
    change: (path, index, value) => edit((old) => changeValue(old, path, index, value)),
    addValue: isGridAllowed ? (path, value) => edit((old) => addValue(old, path, value)) : null,
    removeValue: (path, index) => edit((old) => removeValue(old, path, index)),
    problems,
    optionsAt: (path) => optionsAt(catalogue, draft.run, path),
    entriesAt: (path) => entriesAt(draft.run, path),
    idPrefix: "set-",
  };
  return (
    <div>
      {sectionsOf(root).map((section) => (
        <SectionView key={section.name} section={section} model={model} draft={draft} isOpenFirst={isOpen} />
      ))}
    </div>
  );
}

export function sectionsOf(root: GroupField): Section[] {
  const fields = root.fields.filter(({ name }) => !NOT_IN_FORM.includes(name));
  const isOwn = (field: Field) => field.kind === "group" || field.kind === "union";
  const sections = fields
    .filter(isOwn)
    .map((field) => ({ name: field.name, ...sectionHint(field.name, field.label), fields: [field] }));
  const others = fields.filter((field) => !isOwn(field));
  return others.length > 0 ? [...sections, { name: "", ...OTHER, fields: others }] : sections;
}

/** How many entries a list for each worker has; null for other lists. */
export function entriesAt(run: unknown, path: string): number | null {
  if (!isPerWorker(path)) return null;
  const numWorkers = getAt(run, NUM_WORKERS);
  return typeof numWorkers === "number" && Number.isInteger(numWorkers) && numWorkers > 0
    ? Math.min(numWorkers, 1024)
    : 1;
}

/** What the server offers for a setting; with data of one's own, a data set may have any name. */
export function optionsAt(catalogue: Catalogue, run: unknown, path: string): Option[] | null {
  const dataset = catalogue.datasets.find(({ name }) => name === getAt(run, "task.dataset"));
  if (path === "task.dataset") {
    if (getAt(run, "task.data_dir")) return null;
    return catalogue.datasets.map(({ name, help, is_available, reason }) => ({
      value: name,
      help: is_available ? help : reason,
      problem: is_available ? "" : "not on this machine",
    }));
  }
  if (path !== "task.model") return null;
  return catalogue.models.map(({ name, help }) => ({
    value: name,
    help,
    problem: dataset && !dataset.models.includes(name) ? `does not fit ${dataset.name}` : "",
  }));
}

interface SectionProps {
  section: Section;
  model: FormModel;
  draft: Draft;
  isOpenFirst: boolean;
}

function SectionView({ section, model, draft, isOpenFirst }: SectionProps) {
  const [isOpen, setOpen] = useState(isOpenFirst);
  const paths = section.fields.map(({ name }) => name);
  const num = model.problems.filter(({ field }) => paths.some((path) => isWithin(field, path))).length;
  const id = `section-${section.name || "other"}`;
  const numGrid = Object.keys(draft.grid).filter((path) => paths.some((one) => isWithin(path, one))).length;
  return (
    <section className={css.section} data-open={isOpen || undefined} data-section={paths.join(" ")}>
      <h3>
        <button
          type="button"
          className={css.head}
          aria-expanded={isOpen}
          aria-controls={id}
          onClick={() => setOpen(!isOpen)}
        >
          <svg width="10" height="10" viewBox="0 0 10 10" aria-hidden="true">
            <path
              d={isOpen ? "M1.5 3.5L5 7l3.5-3.5" : "M3.5 1.5L7 5 3.5 8.5"}
              fill="none"
              stroke="currentColor"
              strokeWidth="1.5"
            />
          </svg>
          <span className={css.title}>{section.title}</span>
          <span className={css.summary}>
            {isOpen ? section.help : section.fields.map((field) => summarise(draft, field)).join(" · ")}
          </span>
          {num > 0 ? <span className={css.wrong}>{num === 1 ? "1 problem" : `${num} problems`}</span> : null}
          {num === 0 && numGrid > 0 && <span className={css.varies}>varies</span>}
        </button>
      </h3>
      <div id={id} className={css.body} hidden={!isOpen}>
        {isOpen &&
          section.fields.map((field) =>
            field.kind === "group" ? (
              <Fields key={field.name} group={field} path={field.name} model={model} />
            ) : (
              <FieldRow key={field.name} field={field} path={field.name} model={model} />
            ),
          )}
      </div>
    </section>
  );
}

/** What a section is set to, in one line: "ssp (threshold 3) or predictive (...)". */
export function summarise(draft: Draft, field: Field): string {
  const path = field.name;
  if (draft.grid[path] !== undefined || field.kind === "union") {
    const [only, ...more] = valuesAt(draft, path);
    const describe = (value: unknown) => (path === "policy" && field.kind === "union" ? describePolicy(value, field) : describeValue(value));
    if (more.length > 0) return valuesAt(draft, path).map(describe).join(" or ");
    return describe(isData(only) ? withGrid(draft, path, only) : only);
  }
  if (field.kind !== "group") return `${field.label.toLowerCase()} ${describeSetting(draft, path, field)}`;
  return field.fields
    .filter((one) => !one.isAdvanced && (one.kind !== "choice" || one.options.length > 1))
    .filter(
      (one) => getAt(draft.run, `${path}.${one.name}`) !== null || draft.grid[`${path}.${one.name}`] !== undefined,
    )
    .map((one) => `${one.label.toLowerCase()} ${describeSetting(draft, `${path}.${one.name}`, one)}`)
    .join(" · ");
}

function describeSetting(draft: Draft, path: string, { unit }: Field): string {
  const text = valuesAt(draft, path).map(describeGoal).join(" or ");
  return unit === "s" ? `${text} s` : text;
}

function describeGoal(value: unknown): string {
  if (!isData(value) || typeof value["metric"] !== "string") return describeValue(value);
  return `${value["metric"].replaceAll("_", " ")} ${describeValue(value["value"])}`;
}

/** A union's settings, with those that vary inside it written out. */
function withGrid(draft: Draft, path: string, value: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(value).map(([key, one]) => {
      const values = draft.grid[`${path}.${key}`];
      return [key, values ? values.map(describeValue).join(" or ") : one];
    }),
  );
}
