import { describe, expect, it } from "vitest";
import { LiveClock } from "./clock";

describe("LiveClock", () => {
  it("moves evenly between batches and never falls or lags the newest event", () => {
    const clock = new LiveClock();
    let before = 0;
    for (let frame = 0; frame < 600; frame++) {
      const browserS = 100 + frame / 60;
      const isBatch = frame % 6 === 0;
      const delayS = 0.05 + 0.04 * ((frame * 7) % 5);
      if (isBatch) clock.observe(browserS - 100 - delayS + 10, browserS);
      const now = clock.now(browserS);
      expect(now).toBeGreaterThanOrEqual(before);
      if (frame > 120) expect(now - before).toBeLessThan(3 / 60);
      before = now;
    }
    expect(before).toBeCloseTo(600 / 60 + 10 - 0.05, 1);
  });

  it("stands still when nothing comes any more", () => {
    const clock = new LiveClock(5);
    clock.observe(10, 100);
    for (let browserS = 100; browserS < 120; browserS += 0.1) clock.now(browserS);
    const [one, two] = [clock.now(120), clock.now(130)];
    expect(two - one).toBeLessThan(0.01);
    expect(two).toBeLessThanOrEqual(15.01);
  });

  it("comes back when the run's computer slept, and follows a clock that drifts", () => {
    const slept = new LiveClock();
    let shownS = 0;
    for (let runS = 0; runS < 600; runS++) {
      const browserS = 1000 + runS + (runS < 60 ? 0 : 3600);
      slept.observe(runS, browserS);
      shownS = slept.now(browserS);
    }
    expect(shownS).toBeCloseTo(599, 6);
    const drifting = new LiveClock();
    let runS = 0;
    for (let browserS = 0; browserS < 86_400; browserS += 1) {
      runS = browserS * (1 - 100e-6);
      drifting.observe(runS, browserS);
      shownS = drifting.now(browserS);
    }
    expect(shownS - runS).toBeLessThan(0.01);
  });

  it("starts anew after a pause that was not part of the run", () => {
    const clock = new LiveClock();
    clock.observe(10, 100);
    clock.now(101);
    clock.reset();
    clock.observe(10.5, 5000);
    expect(clock.now(5000)).toBeCloseTo(10.5, 6);
  });
});
