import { cleanup, fireEvent, render, screen } from "../testing";
import { afterEach, describe, expect, it } from "vitest";
import { ExportMenu } from "./ExportMenu";
import { offersOfRun, offersOfRuns } from "./links";

afterEach(cleanup);

describe("the export menu", () => {
  it("offers every file of a run as a link that is saved", () => {
    render(<ExportMenu runIds={["a/b"]} />);
    expect(screen.queryAllByRole("link")).toEqual([]);
    fireEvent.click(screen.getByRole("button", { name: "Export" }));
    const links = screen.getAllByRole("link");
    expect(links).toHaveLength(offersOfRun("a/b").flatMap(({ choices }) => choices).length);
    expect(new Set(links.map((link) => link.getAttribute("href"))).size).toBe(links.length);
    for (const link of links) {
      expect(link.hasAttribute("download")).toBe(true);
      expect(link.getAttribute("href")).toMatch(/^\/api\/v1\/runs\/a%2Fb\/export\?format=(csv|json|jsonl|parquet|perfetto|html)(&table=\w+)?$/);
    }
    expect(screen.getByRole("link", { name: "Iterations as Parquet" }).getAttribute("href")).toContain("format=parquet&table=iterations");
  });

  it("offers a table and a comparison of several runs", () => {
    const hrefs = offersOfRuns(["a", "b"]).flatMap(({ choices }) => choices.map(({ href }) => href));
    expect(hrefs).toEqual(["html", "csv", "parquet", "json"].map((format) => `/api/v1/export?runs=a,b&format=${format}`));
  });

  it("is walked with the arrows and left with Escape", () => {
    render(<ExportMenu runIds={["a", "b"]} />);
    const button = screen.getByRole("button", { name: "Export" });
    fireEvent.click(button);
    const [first, second] = screen.getAllByRole("link");
    expect(document.activeElement).toBe(first);
    fireEvent.keyDown(first as Element, { key: "ArrowDown" });
    expect(document.activeElement).toBe(second);
    fireEvent.keyDown(second as Element, { key: "Escape" });
    expect(button.getAttribute("aria-expanded")).toBe("false");
    expect(document.activeElement).toBe(button);
  });

  it("closes when something else is used, and is closed where nothing is chosen", () => {
    render(<ExportMenu runIds={["a"]} />);
    fireEvent.click(screen.getByRole("button", { name: "Export" }));
    fireEvent.pointerDown(document.body);
    expect(screen.queryAllByRole("link")).toEqual([]);
    cleanup();
    render(<ExportMenu runIds={[]} />);
    expect(screen.getByRole<HTMLButtonElement>("button").disabled).toBe(true);
  });
});
