import { describe, expect, it } from "vitest";
import { Playback } from "./playback";
import { TimeView } from "./view";

function make(fromS = 10, toS = 20): { view: TimeView; playback: Playback } {
  const view = new TimeView(() => undefined, () => false);
  view.tick(0, 100, false);
  view.show(fromS, toS);
  return { view, playback: new Playback(view, () => undefined) };
}

describe("Playback", () => {
  it("begins at the left edge of what is seen, at the chosen speed", () => {
    const { playback } = make();
    playback.setSpeed(4);
    playback.play(100);
    playback.tick(1000, 100);
    playback.tick(1100, 100);
    expect(playback.headS).toBeCloseTo(10.4, 9);
  });

  it("moves the view once the head is near its right edge", () => {
    const { view, playback } = make();
    playback.setSpeed(64);
    playback.play(100);
    playback.tick(0, 100);
    playback.tick(200, 100);
    expect(playback.headS).toBeCloseTo(22.8, 9);
    expect(view.fromS).toBeCloseTo(22.8 - 8.6, 6);
    expect(view.lengthS).toBeCloseTo(10, 9);
  });

  it("goes on where it was paused, and from the window when that is elsewhere", () => {
    const { view, playback } = make();
    playback.play(100);
    playback.tick(0, 100);
    playback.tick(200, 100);
    playback.pause();
    playback.play(100);
    expect(playback.headS).toBeCloseTo(10.2, 9);
    view.show(50, 60);
    playback.play(100);
    expect(playback.headS).toBe(50);
  });

  it("shows everything again at the end", () => {
    const { playback } = make(95, 105);
    playback.setSpeed(64);
    playback.play(100);
    playback.tick(0, 100);
    expect(playback.tick(200, 100)).toBe(false);
    expect([playback.headS, playback.isPlaying]).toEqual([null, false]);
  });
});
