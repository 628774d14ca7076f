import { afterEach, expect, it, vi } from "vitest";
import { makeSession } from "../run/session";
import { RunStore } from "../store/runStore";
import { act, cleanup, render } from "../testing";
import { LossChart } from "./LossChart";

const mount = vi.hoisted(() => {
  window.matchMedia = () => ({ matches: false, addEventListener: () => undefined }) as unknown as MediaQueryList; // of the theme
  return vi.fn(() => () => undefined);
});
vi.mock("./plot", () => ({ mount }));

afterEach(cleanup);

it("is not built anew by news of a run whose target is the same", async () => {
  const session = makeSession(new RunStore("r"));
  session.loop.open();
  const draw = (value: number) => <LossChart session={session} height={100} target={{ metric: "test_accuracy", value }} />;
  const { rerender } = render(draw(0.95));
  await vi.waitFor(() => expect(mount).toHaveBeenCalledTimes(1));
  for (let i = 0; i < 5; i++) rerender(draw(0.95));
  await act(() => new Promise((resolve) => setTimeout(resolve, 20)));
  expect(mount).toHaveBeenCalledTimes(1);
  rerender(draw(0.9));
  await vi.waitFor(() => expect(mount).toHaveBeenCalledTimes(2));
});
