import { useEffect, useState } from "react";
import { ApiError } from "../api/client";
import { NOTHING, take, type Answers, type Frame } from "./answers";
import { predict, type Request } from "./stream";

export interface State {
  answers: Answers;
  error: string;
}

/** Hold the answers to a request; another request, another run or leaving the page ends the one under way. */
export function useAnswers(runId: string, request: Request | null, attempt: number): State {
  const key = request === null ? "" : JSON.stringify([runId, request, attempt]);
  const [state, setState] = useState<State & { key: string }>({ key: "", answers: NOTHING, error: "" });
  useEffect(() => {
    if (key === "") return;
    const [, body] = JSON.parse(key) as [string, Request];
    const controller = new AbortController();
    let answers = NOTHING;
    const show = (error: string) => {
      if (!controller.signal.aborted) setState({ key, answers, error });
    };
    const onFrame = (frame: Frame) => {
      answers = take(answers, frame);
      show("");
    };
    predict(runId, body, controller.signal, onFrame).catch((problem: unknown) => {
      if (controller.signal.aborted) return;
      if (!(problem instanceof ApiError)) throw problem;
      answers = { ...answers, doing: "done" };
      show(problem.message);
    });
    return () => controller.abort();
  }, [key, runId]);
  return state.key === key ? state : { answers: NOTHING, error: "" };
}
