/** The lines of an answer, folded: what was asked, what was recorded, what is predicted so far. Pure. */

import type { components } from "../api/generated";

type Schemas = components["schemas"];

export type Frame = Schemas["WhatIfFrame"];
export type Figures = Schemas["WhatIfFigures"];
export type Question = Schemas["WhatIfQuestion"];
export type Recorded = Schemas["WhatIfRecorded"];
export type Predicted = Schemas["WhatIfPredicted"];

export interface Answers {
  questions: Question[];
  limits: string[];
  lastSeq: number;
  recorded: Recorded | null;
  predicted: (Predicted | undefined)[]; // by question
  doing: "waiting" | "reading" | "predicting" | "done";
  share: number | null; // of the log that is read
  detail: string; // why something is missing
}

export const NOTHING: Answers = {
  questions: [],
  limits: [],
  lastSeq: 0,
  recorded: null,
  predicted: [],
  doing: "reading",
  share: null,
  detail: "",
};

/** Take in the next line. */
export function take(answers: Answers, frame: Frame): Answers {
  switch (frame.type) {
    case "start":
      return { ...NOTHING, questions: frame.questions, limits: frame.limits, lastSeq: frame.last_seq };
    case "recorded":
      return { ...answers, recorded: frame, doing: "predicting" };
    case "predicted": {
      const predicted = [...answers.predicted];
      predicted[frame.index] = frame;
      return { ...answers, predicted };
    }
    case "end":
      return { ...answers, doing: "done", detail: frame.detail ?? "" };
    default:
      return { ...answers, doing: frame.type, share: frame.share ?? answers.share };
  }
}

/** A line of the table: the recorded run, a prediction, or what could not be predicted. */
export interface Row {
  key: string;
  question: Question;
  index: number; // of the question; -1: the recorded run
  figures: Figures | null;
  predicted: Predicted | null; // null: the recorded run
}

/** The recorded run and all predictions, the shortest first; what could not be predicted stands last. */
export function rowsOf({ questions, recorded, predicted }: Answers): Row[] {
  const [first] = questions;
  if (!recorded || !first) return [];
  const rows: Row[] = [{ key: "recorded", question: first, index: -1, figures: recorded.figures, predicted: null }];
  predicted.forEach((one, index) => {
    const question = questions[index];
    if (one && question) rows.push({ key: keyOf(question), question, index, figures: one.figures, predicted: one });
  });
  const length = ({ figures }: Row) => figures?.makespan_s ?? Infinity;
  return rows.toSorted((a, b) => length(a) - length(b) || a.index - b.index);
}

/** A text that names a question in the address. */
export function keyOf({ policy, forecaster }: Question): string {
  const write = (data: Record<string, unknown>) =>
    Object.entries(data)
      .filter(([, value]) => value !== null)
      .map(([key, value]) => (key === "name" ? String(value) : `${key}*${String(value)}`))
      .join(".");
  return `${write(policy)} ${write(forecaster)}`;
}

/** How far the prediction of the recorded policy is from what was recorded, as a share; null while it is not known. */
export function errorOf({ questions, recorded, predicted }: Answers): number | null {
  const index = questions.findIndex(({ is_recorded: isRecorded }) => isRecorded);
  const figures = predicted[index]?.figures;
  if (!recorded || !figures || recorded.figures.makespan_s <= 0) return null;
  return figures.makespan_s / recorded.figures.makespan_s - 1;
}
