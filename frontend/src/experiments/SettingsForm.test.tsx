import { readFileSync } from "node:fs";
import { cleanup, fireEvent, render, screen, within } from "../testing";
import { useEffect, useState } from "react";
import { afterEach, beforeEach, expect, it } from "vitest";
import type { Catalogue } from "../api/types";
import { defaultOf, readSchema, type JsonSchema } from "../form/schema";
import { draftOf, type Draft } from "./draft";
import { SettingsForm } from "./SettingsForm";
import { checkDraft } from "./useCheck";

const document = JSON.parse(readFileSync("openapi.json", "utf8")) as {
  components: { schemas: Record<string, JsonSchema> };
};
const { schemas } = document.components;
const root = readSchema({ ...schemas["RunSpecInput"], $defs: schemas });
const catalogue = {
  models: [
    { name: "mlp", help: "Perceptron." },
    { name: "lenet5", help: "Convolutions." },
  ],
  datasets: [
    { name: "digits", help: "Digits.", is_available: true, reason: "", models: ["mlp"] },
    { name: "cifar10", help: "Pictures.", is_available: false, reason: "no folder", models: ["mlp"] },
  ],
} as unknown as Catalogue;

let draft: Draft;

function Form() {
  const run = { policy: { name: "ssp", threshold: 3 }, speed: { kind: "lognormal", factors: [1, 1, 1, 4] } };
  const [state, setState] = useState(() => draftOf({ name: "Test", run, grid: {}, seeds: [1] }, root, defaultOf(root)));
  useEffect(() => {
    draft = state;
  });
  return (
    <SettingsForm catalogue={catalogue} root={root} draft={state} problems={checkDraft(state, root)} edit={setState} />
  );
}

const section = (name: RegExp) => screen.getByRole("button", { name, expanded: false });
const field = (name: string) => screen.getByRole("textbox", { name });

beforeEach(() => {
  render(<Form />);
});
afterEach(cleanup);

it("folds every section into one line that says what is set", () => {
  expect(screen.queryByRole("textbox")).toBeNull();
  expect(section(/^Policy/).textContent).toContain("ssp (threshold 3)");
  expect(section(/^Heterogeneity/).textContent).toContain("1, 1, 1, 4");
});

it("edits a number, keeps what is typed, and says at the field what is wrong", () => {
  fireEvent.click(section(/^Task/));
  const rate = field("Learning rate");
  fireEvent.input(rate, { target: { value: "0." } });
  expect(rate).toHaveProperty("value", "0.");
  expect(rate.getAttribute("aria-invalid")).toBe("true");
  const said = rate
    .getAttribute("aria-describedby")
    ?.split(" ")
    .map((id) => window.document.getElementById(id)?.textContent);
  expect(said?.[0]).toBe("must be > 0");
  fireEvent.input(rate, { target: { value: "0.05" } });
  expect(draft.run).toMatchObject({ task: { learning_rate: 0.05 } });
  expect(rate.getAttribute("aria-invalid")).toBeNull();
});

it("offers what the server knows, and says why something cannot be chosen", () => {
  fireEvent.click(section(/^Task/));
  const data = within(screen.getByRole("combobox", { name: "Dataset" }));
  expect(data.getByRole("option", { name: "cifar10 (not on this machine)" })).toHaveProperty("disabled", true);
  const model = within(screen.getByRole("combobox", { name: "Model" }));
  expect(model.getByRole("option", { name: "lenet5 (does not fit digits)" })).toHaveProperty("disabled", true);
});

it("takes any name of a data set once a folder of one's own is given", () => {
  fireEvent.click(section(/^Task/));
  fireEvent.input(field("Data dir"), { target: { value: "/data/mine" } });
  fireEvent.input(field("Dataset"), { target: { value: "mine" } });
  expect(draft.run).toMatchObject({ task: { data_dir: "/data/mine", dataset: "mine" } });
  fireEvent.input(field("Data dir"), { target: { value: "" } });
  expect(draft.run).toMatchObject({ task: { data_dir: null } });
});

it("changes the kind of a setting and shows that kind's own settings", () => {
  fireEvent.click(section(/^Policy/));
  expect(field("Threshold")).toHaveProperty("value", "3");
  const select = screen.getByRole("combobox", { name: "Policy" });
  const names = within(select)
    .getAllByRole("option")
    .map(({ textContent }) => textContent);
  fireEvent.change(select, { target: { value: String(names.indexOf("bsp")) } });
  expect(draft.run["policy"]).toEqual({ name: "bsp" });
  expect(screen.queryByRole("textbox", { name: "Threshold" })).toBeNull();
});

it("sets several values side by side, and takes one away again", () => {
  fireEvent.click(section(/^Policy/));
  fireEvent.click(screen.getByRole("button", { name: "Add a value of Threshold" }));
  fireEvent.input(field("Threshold, value 2"), { target: { value: "8" } });
  expect(draft.grid).toEqual({ "policy.threshold": [3, 8] });
  fireEvent.click(screen.getByRole("button", { name: "Take value 1 of Threshold away" }));
  expect(draft.grid).toEqual({});
  expect(field("Threshold")).toHaveProperty("value", "8");
});

it("compares policies, each with its own settings and its own problems", () => {
  fireEvent.click(section(/^Policy/));
  fireEvent.click(screen.getByRole("button", { name: "+ another policy to compare" }));
  expect(draft.grid["policy"]).toHaveLength(2);
  fireEvent.input(field("Threshold"), { target: { value: "-1" } });
  expect(draft.grid["policy"]?.[0]).toEqual({ name: "ssp", threshold: -1 });
  expect(field("Threshold").getAttribute("aria-invalid")).toBe("true");
});

it("has one entry for each worker, or one for all, and follows the number of workers", () => {
  fireEvent.click(section(/^Heterogeneity/));
  fireEvent.input(field("Factors, worker 3"), { target: { value: "2" } });
  expect(draft.run).toMatchObject({ speed: { factors: [1, 1, 1, 2] } });
  fireEvent.click(section(/^Cluster/));
  fireEvent.input(field("Workers"), { target: { value: "5" } });
  expect(field("Factors, worker 4")).toHaveProperty("value", "1");
  fireEvent.click(screen.getByRole("button", { name: "one for all" }));
  expect(draft.run).toMatchObject({ speed: { factors: [1] } });
});

it("gives and takes a goal as a whole", () => {
  fireEvent.click(section(/^End/));
  fireEvent.click(screen.getByRole("checkbox", { name: "Target" }));
  expect(draft.run).toMatchObject({ stop: { target: { metric: "test_accuracy" } } });
  fireEvent.input(field("Seconds"), { target: { value: "" } });
  expect(draft.run).toMatchObject({ stop: { seconds: null } });
  fireEvent.click(screen.getByRole("checkbox", { name: "Target" }));
  expect(draft.run).toMatchObject({ stop: { target: null } });
});

it("has a small control for each part of an entry, and adds and takes entries of a list of objects", () => {
  fireEvent.click(section(/^Cluster/));
  fireEvent.click(screen.getByRole("button", { name: "Add an entry to Churn" }));
  fireEvent.input(field("Churn, entry 1, worker"), { target: { value: "2" } });
  fireEvent.input(field("Churn, entry 1, leaves at"), { target: { value: "1.5" } });
  expect(JSON.stringify(draft.run["cluster"])).toMatch(/"churn":\[\{[^}]*"worker":2[^}]*:1\.5[^}]*\}\]/);
  fireEvent.click(screen.getByRole("button", { name: "Take the last entry from Churn" }));
  expect(draft.run).toMatchObject({ cluster: { churn: [] } });
});
