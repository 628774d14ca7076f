import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { act, cleanup, fireEvent, render, screen, waitFor } from "../testing";
import { refreshRuns } from "./actions";
import { RunSheet } from "./RunSheet";

const server = { id: "r1", name: "one", tags: ["a"], notes: "", deleted_at: null, is_archived: false, experiment_id: "e", experiment_name: "e" };
let patches: unknown[] = [];

beforeEach(() => {
  patches = [];
  HTMLDialogElement.prototype.showModal = function () {
    this.setAttribute("open", "");
  };
  HTMLDialogElement.prototype.close = function () {
    this.removeAttribute("open");
  };
  vi.stubGlobal("WebSocket", class { close() {} send() {} });
  const answer = (url: string, { method, body }: RequestInit) => {
    if (method === "PATCH") patches.push(JSON.parse(body as string));
    const data = url.includes("baseline") ? { run: null } : server;
    return Promise.resolve(new Response(JSON.stringify(data), { headers: { "content-type": "application/json" } }));
  };
  vi.stubGlobal("fetch", vi.fn(answer));
});
afterEach(() => {
  cleanup();
  vi.unstubAllGlobals();
});

const field = (label: string) => screen.findByLabelText<HTMLInputElement>(label);
const save = () => fireEvent.click(screen.getByRole("button", { name: "Save" }));

describe("a run's name, tags and notes", () => {
  it("are sent where they were edited, and nothing that was changed elsewhere is taken back", async () => {
    const first = render(<RunSheet runId="r1" onClose={() => undefined} />);
    await field("Notes");
    first.unmount();
    server.tags = ["a", "b"]; // by another dialog, tab or program
    refreshRuns();
    const onClose = vi.fn();
    render(<RunSheet runId="r1" onClose={onClose} />);
    await waitFor(async () => expect((await field("Tags")).value).toBe("a, b"));
    fireEvent.input(await field("Notes"), { target: { value: "a note" } });
    save();
    await waitFor(() => expect(onClose).toHaveBeenCalled());
    expect(patches).toEqual([{ notes: "a note" }]);
  });

  it("are left alone where nothing was edited", async () => {
    const onClose = vi.fn();
    render(<RunSheet runId="r1" onClose={onClose} />);
    fireEvent.input(await field("Name"), { target: { value: "two" } });
    fireEvent.input(await field("Name"), { target: { value: "one" } });
    await act(() => Promise.resolve(save()));
    expect([patches, onClose.mock.calls.length]).toEqual([[], 1]);
  });
});
