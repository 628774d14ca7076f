import { describe as suite, expect, it } from "vitest";
import { syntheticLog } from "../../dev/syntheticLog";
import { lastOutcome, nextForecast, outcomeText, trackRecord } from "../store/forecast";
import type { Event } from "../store/events";
import { emptyModel, nodeOf, type RunModel } from "../store/model";
import { recentSentence, recentText } from "../store/recent";
import { reduce } from "../store/reduce";
import { Kind } from "../store/spans";
import { describe } from "./describe";
import { layOut, measure } from "./layout";
import { hit, isSame, neighbour, type Selection } from "./selection";

const FACTORS = [1, 1, 1, 4];
const ssp = reduce(emptyModel(), syntheticLog({ policy: "ssp", factors: FACTORS, seconds: 20 }));
const predictive = reduce(emptyModel(), syntheticLog({ policy: "predictive", factors: FACTORS, seconds: 20, isEnded: false }));

function firstOf(model: RunModel, id: string, kind: Kind): number {
  const { track } = nodeOf(model, id);
  for (let i = 20; i < track.length; i++) {
    if (track.kind[i] === kind) return ((track.start[i] as number) + (track.end[i] as number)) / 2;
  }
  throw new Error(`${id} has no span of kind ${kind}`);
}

suite("describe", () => {
  it("tells a wait with the gate's own sentence and its stamps", () => {
    const atS = firstOf(ssp, "worker-0", Kind.wait);
    const text = describe(ssp, { kind: "span", node: "worker-0", atS }, 20);
    expect(text?.title).toMatch(/^worker 0 waited [\d.]+\s(ms|s)$/);
    expect(text?.reason).toBe("waits for worker 3: leads by 4, threshold 3");
    expect(text?.facts.map(({ name }) => name)).toEqual(["from", "to", "lasted", "after iteration"]);
  });

  it("tells an iteration with its loss", () => {
    const text = describe(ssp, { kind: "span", node: "worker-3", atS: firstOf(ssp, "worker-3", Kind.compute) }, 20);
    expect(text?.title).toMatch(/^worker 3 computed: iteration \d+, /);
    expect(text?.facts.some(({ name }) => name === "loss of the minibatch")).toBe(true);
  });

  it("puts the forecast beside what happened", () => {
    const { aggregates } = predictive;
    const text = describe(predictive, { kind: "sync", node: "server", atS: aggregates.at[20] as number }, 20);
    expect(text?.title).toBe("synchronisation of 4 pushes made version 21");
    expect(text?.facts.map(({ name }) => name)).toEqual(expect.arrayContaining(["predicted for", "predicted window", "came", "inside the window"]));
  });

  it("says that what has not happened is predicted", () => {
    const { windows } = predictive;
    const row = windows.length - 1;
    const text = describe(predictive, { kind: "window", node: "server", atS: windows.at[row] as number }, windows.get(row, "cutS") - 0.05);
    expect(text?.title).toBe("next synchronisation predicted in 50.0\u202fms");
  });

  it("has nothing to say of what is not there", () => {
    expect(describe(ssp, { kind: "span", node: "worker-9", atS: 1 }, 20)).toBeNull();
    expect(describe(ssp, { kind: "sync", node: "server", atS: 1.23456 }, 20)).toBeNull();
    expect(describe(ssp, { kind: "span", node: "worker-0", atS: -1 }, 20)).toBeNull();
  });
});

suite("selection", () => {
  const layout = layOut(measure(1200, 400), ssp, 4, 0);
  const laneOf = (id: string) => {
    const lane = layout.lanes.find((one) => one.id === id);
    if (!lane) throw new Error(`no lane ${id}`);
    return lane;
  };

  it("finds what is at a place", () => {
    const atS = firstOf(ssp, "worker-1", Kind.wait);
    const lane = laneOf("worker-1");
    expect(hit(ssp, layout, lane.y + 5, atS, 0.001, 20)).toEqual({ kind: "span", node: "worker-1", atS });
    const updateS = ssp.aggregates.at[40] as number;
    expect(hit(ssp, layout, laneOf("server").y + 5, updateS + 0.002, 0.001, 20)).toEqual({ kind: "sync", node: "server", atS: updateS });
    expect(hit(ssp, layout, 399, 5, 0.001, 20)).toBeNull();
  });

  it("steps through a lane and back to where it came from", () => {
    const lane = laneOf("worker-0");
    let here: Selection = { kind: "span", node: "worker-0", atS: firstOf(ssp, "worker-0", Kind.wait) };
    const { track } = nodeOf(ssp, "worker-0");
    const index = (selection: Selection) => ("atS" in selection ? track.find(selection.atS) : -1);
    const start = index(here);
    for (let i = 1; i <= 5; i++) {
      here = neighbour(ssp, here, lane, 1, 20);
      expect(index(here)).toBe(start + i);
    }
    for (let i = 4; i >= 0; i--) here = neighbour(ssp, here, lane, -1, 20);
    expect(index(here)).toBe(start);
  });

  it("stays at the ends of a lane", () => {
    const lane = laneOf("server");
    const first: Selection = { kind: "sync", node: "server", atS: ssp.aggregates.at[0] as number };
    expect(isSame(neighbour(ssp, first, lane, -1, 20), first)).toBe(true);
  });
});

suite("updates of one instant", () => {
  const update = (seq: number, at_s: number): Event => ({ seq, kind: "AggregateApplied", at_s, version: seq, contributions: [], scale: 1, momentum: 0, velocity_share: 0, reason: "a push" });
  const model = reduce(emptyModel(), [update(1, 1), update(2, 2), update(3, 2), update(4, 2), update(5, 3)]);

  it("are stepped over together, and told together", () => {
    const lane = layOut(measure(1200, 400), model, 0, 0).lanes[0];
    if (!lane) throw new Error("no lane");
    const walk = (direction: 1 | -1, fromS: number) => {
      let here: Selection = { kind: "sync", node: "server", atS: fromS };
      return [0, 1].map(() => "atS" in (here = neighbour(model, here, lane, direction, 3)) && here.atS);
    };
    expect([walk(1, 1), walk(-1, 3)]).toEqual([[2, 3], [2, 1]]);
    expect(describe(model, { kind: "sync", node: "server", atS: 2 }, 3)?.facts).toContainEqual({ name: "at the same instant", value: "2 more updates, to version 4" });
    expect(describe(model, { kind: "sync", node: "server", atS: 1 }, 3)?.facts.map(({ name }) => name)).not.toContain("at the same instant");
  });
});

suite("words", () => {
  it("say whom the others wait for", () => {
    const live = reduce(emptyModel(), syntheticLog({ policy: "ssp", factors: FACTORS, seconds: 20, isEnded: false }));
    expect(recentText(live, nodeOf(live, "worker-0"), live.lastS)).toMatch(/^waits [\d.]+%, for worker 3$/);
    expect(recentText(live, nodeOf(live, "worker-3"), live.lastS)).toBe("");
    expect(recentSentence(live, live.lastS)).toMatch(/^Workers wait [\d.]+% of the time, mostly for worker 3\.$/);
  });

  it("say how the forecasts have held", () => {
    const record = trackRecord(predictive);
    expect(record.num).toBe(predictive.version - 1); // the first round has no forecast
    expect(record.numCovered).toBeGreaterThan(record.num / 2);
    expect(nextForecast(predictive)?.version).toBe(predictive.version + 1);
    const last = lastOutcome(predictive);
    expect(last?.version).toBe(predictive.version);
    expect(last && outcomeText(last)).toMatch(/(late|early|as predicted).*, (inside|outside) its window$/);
  });
});
