import { describe, expect, it } from "vitest";
import { laneAt, layOut, measure } from "./layout";
import { emptyModel, nodeOf } from "../store/model";
import { writeStretch } from "../run/address";
import { exactTime, tickLabel, ticks, tickStep } from "./ticks";
import { TimeView } from "./view";

function liveView(nowS = 100): TimeView {
  const view = new TimeView(() => undefined, () => false);
  view.tick(0, nowS, true);
  return view;
}

describe("TimeView", () => {
  it("keeps now at the right with room for what is predicted", () => {
    const view = liveView();
    expect(view.lengthS).toBeCloseTo(30, 6);
    const share = (view.toS - 100) / view.lengthS;
    expect(share).toBeGreaterThan(0.05);
    expect(share).toBeLessThan(0.3);
    view.tick(16, 101, true);
    expect(view.toS - 101).toBeCloseTo(share * 30, 6);
  });

  it("keeps the time under the pointer in its place when zooming", () => {
    const view = liveView();
    const place = () => (90 - view.fromS) / view.lengthS;
    const before = place();
    view.zoom(0.5, 90);
    expect(view.isFollowing).toBe(false);
    expect(place()).toBeCloseTo(before, 9);
    expect(view.lengthS).toBeCloseTo(15, 6);
  });

  it("goes on following when zoomed at now", () => {
    const view = liveView();
    view.zoom(0.5, 100);
    view.tick(16, 100, true);
    expect(view.isFollowing).toBe(true);
    expect(view.lengthS).toBeCloseTo(15, 6);
  });

  it("never loses the run from sight", () => {
    const view = liveView();
    for (let i = 0; i < 50; i++) view.pan(1);
    expect(view.fromS).toBeLessThan(100);
    for (let i = 0; i < 50; i++) view.pan(-1);
    expect(view.toS).toBeGreaterThan(0);
    for (let i = 0; i < 50; i++) view.zoom(3, 50);
    expect(view.lengthS).toBeLessThanOrEqual(120.001);
  });

  it("shows an ended run whole, and follows again when asked to", () => {
    const view = liveView();
    view.pan(-1);
    view.follow();
    view.tick(32, 100, false);
    expect(view.fromS).toBeLessThanOrEqual(0);
    expect(view.toS).toBeGreaterThanOrEqual(100);
  });
});

describe("a link", () => {
  it("restores the closest look, whose ends were rounded", () => {
    for (let fromS = 1.3; fromS < 90; fromS += 0.317) {
      const [view, opened] = [0, 1].map(() => new TimeView(() => undefined, () => false)) as [TimeView, TimeView];
      view.tick(0, 100, false);
      opened.tick(0, 100, false);
      view.show(fromS, fromS + 1e-4, false);
      const { from, to } = writeStretch(view.fromS, view.toS);
      opened.restore(Number(from), Number(to));
      expect(opened.isFollowing).toBe(false);
      expect(Math.abs(opened.fromS - view.fromS)).toBeLessThan(view.lengthS / 100);
    }
  });
});

describe("time axis", () => {
  it("has round steps", () => {
    expect([0.003, 0.07, 0.2, 3, 12, 21, 45, 700].map(tickStep)).toEqual([0.005, 0.1, 0.2, 5, 20, 30, 60, 900]);
    expect(ticks(-0.1, 0.35, 0.1).map((atS) => atS.toFixed(1))).toEqual(["-0.1", "0.0", "0.1", "0.2", "0.3"]);
  });

  it("writes times as exactly as the step needs", () => {
    expect([tickLabel(1.5, 0.5), tickLabel(30, 10), tickLabel(65, 5), tickLabel(65.25, 0.05), tickLabel(3725, 60)]).toEqual([
      "1.5 s",
      "30 s",
      "1:05",
      "1:05.25",
      "1:02:05",
    ]);
    expect([59.9997, 119.9996, 3599.9997, 59.9994].map(exactTime)).toEqual(["1:00.000", "2:00.000", "1:00:00.000", "59.999 s"]);
  });
});

describe("lanes", () => {
  it("stand in order, do not overlap, and can be found by their height", () => {
    const model = emptyModel();
    nodeOf(model, "evaluator");
    const layout = layOut(measure(1200, 400), model, 4, 0);
    expect(layout.lanes.map(({ id }) => id)).toEqual(["server", "evaluator", "worker-0", "worker-1", "worker-2", "worker-3"]);
    layout.lanes.reduce((bottom, lane) => {
      expect(lane.y).toBeGreaterThanOrEqual(bottom);
      expect(laneAt(layout, lane.y + 1)?.id).toBe(lane.id);
      return lane.y + lane.height;
    }, 0);
    expect(layout.contentHeight).toBeLessThanOrEqual(400);
  });

  it("fit 64 workers into 400 px, and scroll with 256", () => {
    expect(layOut(measure(1200, 400), emptyModel(), 64, 99).scrollY).toBe(0);
    const many = layOut(measure(1200, 400), emptyModel(), 256, 1e9);
    expect(many.scrollY).toBeGreaterThan(0);
    expect(many.contentHeight - many.scrollY).toBeCloseTo(400 - many.axis, 6);
  });
});
