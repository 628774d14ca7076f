import { describe as suite, expect, it } from "vitest";
import { describe } from "../timeline/describe";
import { layOut, measure } from "../timeline/layout";
import { hit } from "../timeline/selection";
import type { Event } from "./events";
import { iterationScore, iterationText, runningForecast, scoreSentence } from "./forecast";
import { WARM_UP } from "./forecastTrack";
import { emptyModel, nodeOf, type RunModel } from "./model";
import { reduce } from "./reduce";

type Body<E = Event> = E extends Event ? Omit<E, "seq"> : never;

function fold(...bodies: Body[]): RunModel {
  return reduce(
    emptyModel(),
    bodies.map((body, i) => ({ seq: i + 1, ...body })),
  );
}

const joined = (at_s: number, iteration = 0, worker = 0): Body => ({
  kind: "WorkerJoined",
  at_s,
  worker,
  incarnation: 0,
  iteration,
});

const forecast = (iteration: number, startedS: number, length: number, half: number, worker = 0): Body => ({
  kind: "ForecastUpdated",
  at_s: startedS + 0.1,
  worker,
  iteration,
  started_at_s: startedS,
  expected_at_s: startedS + length,
  low_at_s: startedS + length - half,
  high_at_s: startedS + length + half,
});

const reported = (iteration: number, endedS: number, worker = 0): Body => ({
  kind: "IterationReported",
  at_s: endedS + 0.1,
  worker,
  iteration,
  compute_s: 1,
  ended_at_s: endedS,
  is_waiting: false,
  down_s: 0,
});

const pushed = (iteration: number, endedS: number, worker = 0): Body => ({
  kind: "PushArrived",
  at_s: endedS + 0.1,
  worker,
  iteration,
  num_iterations: 1,
  compute_s: 1,
  ended_at_s: endedS,
  pulled_version: 0,
  is_blocking: false,
  down_s: 0,
});

const computed = (iteration: number, startedS: number, endedS: number, overlapped_s = 0): Body => ({
  kind: "IterationFinished",
  at_s: endedS,
  worker: 0,
  iteration,
  epoch: 0,
  started_at_s: startedS,
  compute_s: endedS - startedS,
  target_s: 0,
  loss: 0.5,
  num_samples: 32,
  overlapped_s,
});

suite("forecasts of iterations", () => {
  it("are judged by the end that the gate is told, once the worker is known", () => {
    const model = fold(
      joined(0),
      forecast(20, 10, 9, 0.1),
      reported(20, 11), // still too early to be judged
      forecast(21, 11, 1, 0.25),
      pushed(21, 12.25), // took 1.25 s, at the edge of the window
      forecast(22, 12.25, 1, 0.5),
      reported(22, 14.25), // took 2 s, outside
    );
    const { score } = nodeOf(model, "worker-0").forecasts;
    expect([WARM_UP, score.num, score.numCovered]).toEqual([20, 2, 1]);
    expect(score.errorShare).toBeCloseTo(0.2 + 0.5, 12);
    expect(score.widthShare).toBeCloseTo(0.4 + 0.5, 12);
  });

  it("of another iteration, of another life, or of an iteration that never ended are not judged", () => {
    const model = fold(
      joined(0, 40),
      forecast(61, 1, 1, 0.5),
      reported(62, 2),
      forecast(63, 2, 1, 0.5),
      joined(5, 62),
      reported(63, 6),
      forecast(82, 20, 1, 0.5),
      reported(82, 21), // the forecaster began anew at 62
      forecast(83, 21, 1, 0.5),
    );
    expect(nodeOf(model, "worker-0").forecasts.score.num).toBe(0);
    reduce(model, [{ seq: 99, ...reported(83, 22) }]);
    expect(nodeOf(model, "worker-0").forecasts.score.num).toBe(1);
  });

  it("pool over the workers, each iteration with the same weight", () => {
    const model = fold(
      joined(0),
      joined(0, 0, 1),
      forecast(21, 0, 1, 0.5),
      reported(21, 1),
      forecast(22, 1, 1, 0.5),
      reported(22, 2),
      forecast(30, 0, 1, 0.5, 1),
      reported(30, 2, 1),
    );
    expect(iterationScore(model)).toEqual({ num: 3, numCovered: 2, errorShare: 0.5, widthShare: 2.5 });
    expect(scoreSentence(iterationScore(model))).toBe(
      "66.7% of 3 iterations ended inside their predicted window; mean error 16.7%.",
    );
  });

  it("are found by their iteration, among many, also after a resume has counted back", () => {
    const bodies = Array.from({ length: 500 }, (_, i) => [forecast(i + 1, i, 1, 0.1), reported(i + 1, i + 1)]).flat();
    const again = [joined(600, 400), forecast(401, 600, 2, 0.1), reported(401, 602)];
    const { forecasts } = nodeOf(fold(joined(0), ...bodies, ...again), "worker-0");
    expect(forecasts.length).toBe(501);
    expect(forecasts.of(401, 400.5)).toMatchObject({ iteration: 401, startedS: 400, expectedS: 401, endedS: 401 });
    expect(forecasts.of(401, 600)).toMatchObject({ iteration: 401, startedS: 600, expectedS: 602, endedS: 602 });
    expect(forecasts.of(7, 300)).toBeNull();
    expect(forecasts.indexAt(400)).toBe(400);
  });

  it("run until the end is told, and no longer than the worker", () => {
    const model = fold(joined(0), forecast(1, 1, 1, 0.1));
    const node = nodeOf(model, "worker-0");
    expect(runningForecast(model, node)).toMatchObject({ iteration: 1, expectedS: 2 });
    reduce(model, [{ seq: 3, ...computed(1, 1, 2) }]); // the worker's own word comes before the gate's
    expect(runningForecast(model, node)).toBeNull();
    reduce(model, [
      { seq: 4, ...reported(1, 2) },
      { seq: 5, ...forecast(2, 2, 1, 0.1) },
    ]);
    expect(runningForecast(model, node)).toMatchObject({ iteration: 2, expectedS: 3 });
    reduce(model, [{ seq: 6, kind: "WorkerLeft", at_s: 2.5, worker: 0, reason: "died" }]);
    expect(runningForecast(model, node)).toBeNull();
  });
});

suite("words about an iteration", () => {
  const ended = { iteration: 3, startedS: 10, expectedS: 11.02, lowS: 10.93, highS: 11.15 };

  it("say what was forecast and what came", () => {
    expect(iterationText({ ...ended, endedS: 11.08 })).toBe("forecast 1.02\u202fs (0.930 to 1.15), took 1.08\u202fs");
    expect(iterationText({ ...ended, endedS: 12 })).toMatch(/took 2\.00\u202fs, outside its window$/);
    expect(iterationText({ ...ended, endedS: NaN })).toBe("forecast 1.02\u202fs (0.930 to 1.15)");
  });

  it("name the unit of a bound that has another one", () => {
    const short = { iteration: 3, startedS: 0, expectedS: 0.11, lowS: 0.09, highS: 0.12, endedS: Infinity };
    expect(iterationText(short)).toBe("forecast 0.110\u202fs (90.0\u202fms to 0.120)");
  });

  it("are found where its end is forecast, ahead of now", () => {
    const model = fold(joined(0), forecast(1, 1, 1, 0.25));
    const layout = layOut(measure(1200, 400), model, 1, 0);
    const y = (layout.lanes.find(({ id }) => id === "worker-0")?.y ?? 0) + 5;
    expect(hit(model, layout, y, 2.1, 0.001, 1.5)).toEqual({ kind: "span", node: "worker-0", atS: 1.5 });
    expect(hit(model, layout, y, 2.4, 0.001, 1.5)).toEqual({ kind: "node", node: "worker-0" });
    const text = describe(model, { kind: "span", node: "worker-0", atS: 1.5 }, 1.5);
    expect(text?.reason).toBe("forecast 1.00\u202fs (0.750 to 1.25)");
  });

  it("stand with the iteration that is pointed at, in each of its parts", () => {
    const model = fold(
      joined(0),
      forecast(1, 1, 1, 0.25),
      computed(1, 1, 2.5, 0.5),
      reported(1, 2.5),
      forecast(2, 2.5, 1, 0.25),
    );
    const at = (atS: number, nowS = 3) => describe(model, { kind: "span", node: "worker-0", atS }, nowS);
    for (const atS of [1.2, 2]) {
      expect(at(atS)?.reason).toBe("forecast 1.00\u202fs (0.750 to 1.25), took 1.50\u202fs, outside its window");
      expect(at(atS)?.facts).toContainEqual({ name: "measured end", value: "0.500\u202fs later" });
    }
    expect(at(2.9)).toMatchObject({
      title: "worker 0 computes: iteration 2, 0.500\u202fs",
      reason: "forecast 1.00\u202fs (0.750 to 1.25)",
    });
  });
});

suite("misses of a stretch", () => {
  const iterations = (...ends: number[]) =>
    ends.flatMap((endedS, i): Body[] => [forecast(i + 1, i, 1, 0.1), pushed(i + 1, i + endedS)]);

  it("are told from its two ends, once they are judged", () => {
    const held = Array.from({ length: WARM_UP }, () => 1.5);
    const model = fold(joined(0), ...iterations(...held, 1, 1.2, 0.8, 1.3, 1));
    const { forecasts } = nodeOf(model, "worker-0");
    expect(forecasts.missesBetween(0, forecasts.length)).toEqual({ num: 5, numLate: 2, numEarly: 1 });
    expect(forecasts.missesBetween(WARM_UP + 1, WARM_UP + 3)).toEqual({ num: 2, numLate: 1, numEarly: 1 });
    expect(forecasts.missesBetween(0, WARM_UP)).toEqual({ num: 0, numLate: 0, numEarly: 0 });
  });

  it("are the same after older ones were let go", () => {
    const model = fold(joined(0), ...iterations(...Array.from({ length: WARM_UP }, () => 1), 1.2, 1.2, 0.8, 1));
    const { forecasts } = nodeOf(model, "worker-0");
    forecasts.forget(WARM_UP + 1.5);
    expect(forecasts.at(0).iteration).toBe(WARM_UP + 2);
    expect(forecasts.missesBetween(0, forecasts.length)).toEqual({ num: 3, numLate: 1, numEarly: 1 });
  });
});
