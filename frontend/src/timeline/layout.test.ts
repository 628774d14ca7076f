import { describe, expect, it } from "vitest";
import { emptyModel, nodeOf } from "../store/model";
import { laneAt, layOut, measure } from "./layout";

const model = emptyModel();
nodeOf(model, "evaluator");

describe("the lanes", () => {
  it.each([[1, 450], [8, 450], [40, 450], [90, 450], [256, 450], [256, 1300]])("of %i workers are legible in %i px, and the pointer finds each", (num, height) => {
    for (const scrollY of [0, 37.6, 1e6]) {
      const layout = layOut(measure(1280, height), model, num, scrollY);
      const seen = new Set<string>();
      const isFound = Array.from({ length: height }, (_, y) => {
        const lane = laneAt(layout, y);
        if (!lane) return true;
        seen.add(lane.id);
        const bar = Math.round(lane.y - layout.scrollY); // where it is drawn
        return y >= bar && y < bar + lane.pitch;
      });
      expect(isFound).not.toContain(false);
      const room = height - layout.axis;
      expect(seen.size).toBe(layout.lanes.filter(({ y, pitch }) => y + pitch > layout.scrollY && y - layout.scrollY <= room).length);
      for (const { height: bar, worker } of layout.lanes) expect(bar).toBeGreaterThanOrEqual(worker === null ? 10 : 3);
      if (num <= 90) expect(layout.contentHeight).toBeLessThanOrEqual(room);
    }
  });
});
