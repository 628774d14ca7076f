/** What a form's controls need of whoever holds the values. */

import type { FieldProblem } from "../api/types";
import { getAt, isSame, join, setAt } from "./values";

/** A value offered for a text field, e.g. the data sets that the server knows. */
export interface Option {
  value: string;
  help: string;
  problem: string; // why it cannot be chosen; "" = it can
}

export interface FormModel {
  valuesAt: (path: string) => unknown[]; // never empty; more than one where a setting takes several values
  change: (path: string, index: number, value: unknown) => void;
  addValue: ((path: string, value: unknown) => void) | null; // null: every setting takes one value
  removeValue: (path: string, index: number) => void;
  problems: readonly FieldProblem[];
  optionsAt: (path: string) => Option[] | null; // null: any text may be typed
  entriesAt: (path: string) => number | null; // a list with one entry for each worker has so many
  idPrefix: string; // apart for two forms on one page
}

/** See the inside of one of several values as a form of its own: its settings take one value each. */
export function insideOf(model: FormModel, outer: string, index: number): FormModel {
  const whole = () => model.valuesAt(outer)[index];
  const inside = (path: string) => path.slice(outer.length + 1);
  return {
    ...model,
    valuesAt: (path) => [getAt(whole(), inside(path))],
    change: (path, _, value) => model.change(outer, index, setAt(whole(), inside(path), value)),
    addValue: null,
    idPrefix: `${model.idPrefix}${index}-`,
    problems: model.problems.filter(
      ({ field, value }) => !field.startsWith(`${outer}.`) || isSame(getAt(whole(), inside(field)), value),
    ),
  };
}

/** The problems of one value of a setting: where several values stand side by side, of the one that was refused. */
export function problemsOf(model: FormModel, path: string, index: number): FieldProblem[] {
  const here = model.problems.filter(({ field }) => field === path);
  const values = model.valuesAt(path);
  if (values.length === 1) return here;
  const refused = (problem: FieldProblem) => values.some((value) => isSame(value, problem.value));
  return here.filter((problem) => !refused(problem) || isSame(values[index], problem.value));
}

export function controlId(model: Pick<FormModel, "idPrefix">, path: string, index = 0): string {
  return `${model.idPrefix}${path.replaceAll(".", "-")}${index > 0 ? `-${index}` : ""}`;
}

/** Whether a problem lies at a path or inside it. */
export function isWithin(field: string, path: string): boolean {
  return field === path || field.startsWith(join(path, ""));
}
