import { describe, expect, it } from "vitest";
import { syntheticLog } from "../../dev/syntheticLog";
import { sharesOf } from "../store/figures";
import type { Event } from "../store/events";
import { emptyModel } from "../store/model";
import { reduce } from "../store/reduce";
import { bandsOf, bucketsOf, lossData, roundRange, WaitCache, waitingData } from "./buckets";

const isNumber = (value: unknown): boolean => typeof value === "number";
const model = reduce(emptyModel(), syntheticLog({ policy: "ssp", factors: [1, 1, 3], seconds: 20 }));

describe("buckets", () => {
  it("lie on the time grid and cover what is seen", () => {
    const { first, num, stepS } = bucketsOf(3.37, 10, 50);
    expect(first * stepS).toBeLessThanOrEqual(3.37);
    expect((first + num) * stepS).toBeGreaterThanOrEqual(13.37);
  });

  it("give the mean loss and every evaluation, in order of time", () => {
    const { x, training, test, accuracy } = lossData(model, bucketsOf(5, 10, 20));
    expect([...x].sort((a, b) => a - b)).toEqual(x);
    expect(training.filter(isNumber).length).toBeGreaterThan(18);
    expect(test.filter((value) => value !== null).length).toBeGreaterThanOrEqual(20); // each 0.5 s
    expect(accuracy.map((value) => value === null)).toEqual(test.map((value) => value === null));
    const { trainLoss } = model;
    const i = x.findIndex((_, k) => isNumber(training[k]));
    expect(training[i]).toBeCloseTo(trainLoss.mean((x[i] as number) - 0.25, (x[i] as number) + 0.25) ?? NaN, 9);
  });

  it("break the training loss, and nothing else, where the run was resumed", () => {
    const log = syntheticLog({ policy: "ssp", factors: [1, 1], seconds: 5 });
    const { seq, at_s: atS } = log[log.length - 1] as Event;
    const again = { seq: seq + 2, kind: "RunStarted", at_s: atS + 3, wall_time_s: 0, run_id: "one", is_simulated: false, versions: {} } as Event;
    const evaluated = { ...log.find(({ kind }) => kind === "EvaluationFinished"), seq: seq + 1, snapshot_at_s: atS + 1 } as Event; // of the weights at the stop
    const iterated = log.filter(({ kind }) => kind === "IterationFinished").map((event, i) => ({ ...event, seq: seq + 3 + i, at_s: event.at_s + atS + 4 }));
    const { x, training, test } = lossData(reduce(emptyModel(), [...log, evaluated, again, ...iterated]), bucketsOf(0, 14, 100));
    const known = x.filter((_, i) => isNumber(training[i]));
    const [last, next] = [Math.max(...known.filter((one) => one < atS + 3)), Math.min(...known.filter((one) => one > atS + 3))];
    expect(known.filter((one) => one > next).length).toBeGreaterThan(20);
    expect(x).toContain(atS + 3);
    x.forEach((one, i) => {
      const isBreak = one > last && one < next; // also beside an evaluation there, which would carry the line on
      if (!isNumber(training[i])) expect(training[i]).toBe(isBreak ? null : undefined);
    });
    expect(x.filter((_, i) => isNumber(test[i])).length).toBeGreaterThan(5);
    const stays = lossData(model, bucketsOf(5, 10, 20));
    expect(stays.training).not.toContain(null);
  });

  it("cut the line between two evaluations where it leaves the sight, at its very height", () => {
    const { evaluations } = model;
    const [beforeS, afterS] = [evaluations.at[3] as number, evaluations.at[4] as number];
    const third = (afterS - beforeS) / 3;
    const { x, accuracy } = lossData(model, { first: 1, num: 1, stepS: beforeS + third });
    const row = x.findIndex((atS, i) => accuracy[i] !== null && Math.abs(atS - beforeS - third) < 1e-9);
    const [before, after] = [evaluations.get(3, "accuracy"), evaluations.get(4, "accuracy")];
    expect(accuracy[row]).toBeCloseTo(before + (after - before) / 3, 9);
    expect(Math.min(...x)).toBeGreaterThanOrEqual(beforeS + third - 1e-9);
  });

  it("stack the waiting workers, whose time adds up to what each of them waited", () => {
    const bands = bandsOf(3);
    const buckets = { first: 0, num: 40, stepS: 0.5 };
    const { sums } = waitingData(model, buckets, bands, 20, new WaitCache());
    const totalS = (sums[2] ?? []).reduce<number>((sum, value) => sum + (value ?? 0) * 0.5, 0);
    const wishS = model.workers.reduce((sum, node) => sum + sharesOf(model, node, 0, 20, 20).waitS, 0);
    expect(totalS).toBeCloseTo(wishS, 6);
    expect(totalS).toBeGreaterThan(5);
    sums.slice(1).forEach((row, band) => row.forEach((value, i) => expect(value).toBeGreaterThanOrEqual(sums[band]?.[i] ?? 0)));
  });

  it("are the same from the cache, also while the run goes on", () => {
    const log = syntheticLog({ policy: "ssp", factors: [1, 1, 3], seconds: 20 });
    const live = emptyModel();
    const cache = new WaitCache();
    const bands = bandsOf(3);
    for (let i = 0; i < log.length; i += 150) {
      reduce(live, log.slice(i, i + 150));
      waitingData(live, { first: 0, num: 40, stepS: 0.5 }, bands, live.lastS, cache);
    }
    const buckets = { first: 0, num: 36, stepS: 0.5 };
    const [cached, fresh] = [cache, new WaitCache()].map((one) => waitingData(live, buckets, bands, 20, one).sums.flat());
    cached?.forEach((value, i) => expect(value).toBeCloseTo(fresh?.[i] ?? NaN, 6));
  });

  it("join workers into bands when there are many", () => {
    expect(bandsOf(4)).toEqual([[0], [1], [2], [3]]);
    const many = bandsOf(100);
    expect(many.length).toBeLessThanOrEqual(16);
    expect(many.flat()).toEqual(Array.from({ length: 100 }, (_, i) => i));
  });
});

describe("roundRange", () => {
  it.each([
    [0.13, 0.87, 0, 1],
    [0.41, 0.47, 0.4, 0.48],
    [3, 3, 2.7, 3.3],
    [0, 0, 0, 1],
    [0.3, 0.1 + 0.2, 0.27, 0.33], // one unit in the last place apart: no axis can be divided that finely
  ])("of %d to %d is %d to %d", (min, max, low, high) => {
    const [from, to] = roundRange(min, max);
    expect(from).toBeCloseTo(low, 9);
    expect(to).toBeCloseTo(high, 9);
  });
});
