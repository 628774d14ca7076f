import { describe, expect, it } from "vitest";
import { syntheticLog } from "../../dev/syntheticLog";
import { Detail } from "./detail";
import type { Event } from "./events";
import { emptyModel } from "./model";
import { reduce } from "./reduce";

const log = syntheticLog({ policy: "ssp", factors: [1, 1, 3], seconds: 60 });
const whole = reduce(emptyModel(), log);
const RARE = new Set(["RunStarted", "NodeStarted", "WorkerJoined", "WorkerLeft", "EvaluationFinished", "RunFinished"]);
const landmarks = log.filter(({ kind }) => RARE.has(kind));
const BLOCK_S = 4;

/** Answer as the server does: what tells of a stretch of time. */
function within(fromS: number, toS: number): Event[] {
  return log.filter((event) => {
    let startS = event.at_s;
    if (event.kind === "IterationFinished") startS = event.started_at_s;
    if (event.kind === "ExchangeFinished" && event.blocked_from_s !== null) startS = event.blocked_from_s;
    return startS <= toS && event.at_s >= fromS - (event.kind === "WorkerHeld" ? 3 : 0);
  });
}

async function settle(detail: Detail, fromS: number, toS: number): Promise<void> {
  for (let turn = 0; turn < 60; turn++) {
    detail.look(fromS, toS, 1);
    while (detail.work());
    await new Promise((resolve) => setTimeout(resolve, 0));
  }
}

function detailOf(asked: number[] = [], isCut = false): Detail {
  return new Detail("run", BLOCK_S, () => 50, () => landmarks, () => undefined, (fromS, toS) => {
    asked.push(fromS / BLOCK_S);
    return Promise.resolve({ events: within(fromS, toS), from_s: fromS, to_s: toS, is_cut: isCut });
  });
}

describe("Detail", () => {
  it("folds the same spans, reasons included, that the whole log gives", async () => {
    const detail = detailOf();
    await settle(detail, 20, 30);
    const { window } = detail;
    expect(window?.fromS).toBeLessThanOrEqual(20);
    expect(window?.toS).toBeGreaterThanOrEqual(30);
    for (const node of whole.workers) {
      const { track } = node;
      const other = window?.model.nodes.get(node.id)?.track;
      let numCompared = 0;
      for (let i = track.firstEndingAfter(20); i < track.numStartingBefore(30); i++) {
        const span = track.at(i);
        const same = other?.at(other.find((span.startS + span.endS) / 2));
        expect([same?.startS, same?.endS, same?.kind, same?.iteration]).toEqual([span.startS, span.endS, span.kind, span.iteration]);
        expect(window?.model.sentences[same?.reason ?? -1]).toBe(whole.sentences[span.reason]);
        numCompared += 1;
      }
      expect(numCompared).toBeGreaterThan(5);
    }
  });

  it("fetches what is seen first, then what lies ahead, and no block twice", async () => {
    const asked: number[] = [];
    const detail = detailOf(asked);
    await settle(detail, 20, 30);
    expect(asked.slice(0, 3)).toEqual([5, 6, 7]);
    expect(asked[3]).toBe(8);
    expect(new Set(asked).size).toBe(asked.length);
  });

  it("leaves a long stretch to the overview", () => {
    const asked: number[] = [];
    expect(detailOf(asked).look(0, 40, 1)).toBe(false);
    expect(asked).toEqual([]);
  });

  it("draws nothing from a block that was cut", async () => {
    const detail = detailOf([], true);
    await settle(detail, 20, 30);
    expect(detail.window).toBeNull();
  });

  it("keeps the window while the next one is folded", async () => {
    const detail = detailOf();
    await settle(detail, 20, 24);
    const before = detail.window;
    detail.look(24, 28, 1);
    expect(detail.window).toBe(before);
    await settle(detail, 24, 28);
    expect(detail.window?.toS).toBeGreaterThanOrEqual(32);
  });
});
