import { cleanup, render, screen, within } from "../testing";
import { afterEach, describe, expect, it, vi } from "vitest";
import { api, ApiError } from "../api/client";
import type { Account, Run } from "../api/types";
import { AccountTab, AccountView } from "./AccountTab";
import { anAccount } from "./sample";

let numRuns = 0;
const aRun = (state: Run["state"]) => ({ id: `run-${(numRuns += 1)}`, state }) as Run;
const answered = (account: Account) => vi.spyOn(api, "account").mockResolvedValue(account);

afterEach(() => {
  cleanup();
  vi.restoreAllMocks();
});

describe("why it waited", () => {
  it("answers in words first, then says what the figures are", () => {
    render(<AccountView account={anAccount()} />);
    expect(screen.getByText("Workers spent 24% of their time waiting, 80% of it for worker 2.")).toBeTruthy();
    expect(screen.getByText("All times are measured.")).toBeTruthy();
    const parts = screen.getByRole("region", { name: "Where each worker’s time went" });
    expect(within(parts).getByText("measured")).toBeTruthy();
    expect(screen.getByText(/charged to the last one to arrive/)).toBeTruthy();
  });

  it("draws a bar for each worker that names its parts to a screen reader", () => {
    render(<AccountView account={anAccount()} />);
    const bar = screen.getByRole("img", { name: /^worker 0: computing 3.00.s \(28.6%\), .*unaccounted 0.500.s/ });
    const pieces = [...bar.querySelectorAll("i")];
    expect(pieces.map((piece) => piece.dataset.part)).toEqual(["compute", "up", "wait", "down", "unaccounted"]);
    expect(pieces.map((piece) => Number(piece.style.flexGrow))).toEqual([3, 1, 5, 1, 0.5]);
  });

  it("has the matrix as a table with heads on both sides", () => {
    render(<AccountView account={anAccount()} />);
    const table = screen.getByRole("table", { name: /Seconds that each worker waited/ });
    expect(within(table).getAllByRole("columnheader").map((one) => one.textContent)).toEqual([
      "waited", "for worker 2", "for worker 1", "for nobody named", "in all",
    ]);
    expect(within(table).getAllByRole("rowheader").map((one) => one.textContent)).toEqual(["worker 0", "worker 1"]);
    expect(screen.getByText("One worker has not waited for anybody.")).toBeTruthy();
  });

  it("leaves out what there is not", () => {
    const quiet = anAccount();
    quiet.total.parts.wait = 0;
    render(<AccountView account={quiet} />);
    expect(screen.queryByRole("region", { name: "Who waited for whom" })).toBeNull();
    expect(screen.getByText(/has predicted nothing that has come to pass/)).toBeTruthy();
  });

  it("says how far a long log is counted", () => {
    render(<AccountView account={anAccount({ is_complete: false, counted_share: 0.25 })} />);
    expect(screen.getByText(/Counted so far: 25.0% of the log/)).toBeTruthy();
  });
});

describe("the tab", () => {
  it("shows the account once it has come", async () => {
    answered(anAccount());
    render(<AccountTab run={aRun("completed")} />);
    expect(screen.getByRole("status", { name: "Counting where the time went" })).toBeTruthy();
    expect(await screen.findByText(/80% of it for worker 2/)).toBeTruthy();
  });

  it("says what will be here before the workers have joined, and that there is nothing after the end", async () => {
    answered(anAccount({ workers: [] }));
    const { unmount } = render(<AccountTab run={aRun("starting")} />);
    expect(await screen.findByText(/stands here once the workers have joined/)).toBeTruthy();
    unmount();
    render(<AccountTab run={aRun("failed")} />);
    expect(await screen.findByText(/No worker ever joined this run/)).toBeTruthy();
  });

  it("says what is wrong", async () => {
    vi.spyOn(api, "account").mockRejectedValue(new ApiError(500, "The server has failed."));
    render(<AccountTab run={aRun("completed")} />);
    expect((await screen.findByRole("alert")).textContent).toContain("The server has failed.");
  });

  it("asks again at once while a log is counted", async () => {
    const asked = vi.spyOn(api, "account").mockResolvedValueOnce(anAccount({ is_complete: false, counted_share: 0.5 }));
    asked.mockResolvedValue(anAccount());
    render(<AccountTab run={aRun("completed")} />);
    expect(await screen.findByText(/Counted so far: 50.0%/)).toBeTruthy();
    expect(await screen.findByText("All times are measured.", {}, { timeout: 3000 })).toBeTruthy();
  });
});
