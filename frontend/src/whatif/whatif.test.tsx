import { readFileSync } from "node:fs";
import { fireEvent, render, screen, waitFor, within } from "../testing";
import { afterEach, describe, expect, it, vi } from "vitest";
import { readSchema, type JsonSchema } from "../form/schema";
import { errorOf, keyOf, NOTHING, rowsOf, take, type Figures, type Frame } from "./answers";
import { DEFAULTS, defaultChoices, numQuestions, policiesOf, problemOf, readChoices, readValues, settingsOf, toRequest, variantNamed, withValues, writeChoices } from "./choices";
import { PolicyPicker } from "./PolicyPicker";
import { linesOf, predict } from "./stream";

/** The real schema of a run's spec, as the API describes it. */
const document = JSON.parse(readFileSync("openapi.json", "utf8")) as { components: { schemas: Record<string, JsonSchema> } };
const { schemas } = document.components;
const policies = policiesOf(readSchema({ ...schemas["RunSpecInput"], $defs: schemas }));

function fieldOf(policy: string, name: string) {
  const variant = variantNamed(policies, policy);
  const field = variant && settingsOf(variant).find((one) => one.name === name);
  if (!field) throw new Error(`no setting ${policy}.${name}`);
  return field;
}

describe("choices", () => {
  it("offers every policy by default, ssp with several thresholds", () => {
    const choices = defaultChoices(policies);
    expect(choices.map(({ name }) => name)).toEqual(policies.variants.map(({ label }) => label));
    expect(numQuestions(choices)).toBe(policies.variants.length + 3);
    expect(toRequest(choices)).toContainEqual({ name: "ssp", threshold: [1, 2, 4, 8] });
    expect(writeChoices(choices, policies)).toBe(DEFAULTS);
    expect(readChoices(DEFAULTS, policies)).toEqual(choices);
  });

  it("stand in the address and come back from it", () => {
    const choices = [
      { name: "ssp", values: { threshold: [1, 16] } },
      { name: "bsp", values: {} },
      { name: "fsp", values: { deadline_s: [null, 0.25] } },
      { name: "foresync", values: { answer: ["at_once"], wait: ["never", "if_short"] } },
    ];
    const text = writeChoices(choices, policies);
    expect(text).toBe("ssp.threshold*1*16 bsp fsp.deadline_s*none*0.25 foresync.answer*at_once.wait*never*if_short");
    const address = new URLSearchParams({ policies: text });
    expect(readChoices(new URLSearchParams(address.toString()).get("policies"), policies)).toEqual(choices);
  });

  it("leave out what the schema does not know", () => {
    expect(readChoices("warp.factor*9 bsp.threshold*3 ssp.threshold*x", policies)).toEqual([
      { name: "bsp", values: {} },
      { name: "ssp", values: { threshold: ["x"] } }, // stays, and is complained about
    ]);
  });

  it("read and judge what is typed", () => {
    const threshold = fieldOf("ssp", "threshold");
    expect(readValues("1, 2; 2,4 ,", threshold)).toEqual([1, 2, 4]);
    expect(problemOf([1, 2], threshold)).toBe("");
    expect(problemOf([1, -1], threshold)).toBe("-1 must be >= 0");
    expect(problemOf(readValues("two", threshold), threshold)).toBe("two must be a number");
    expect(problemOf([], threshold)).toBe("needs a value");
    expect(readValues("none, 0.5", fieldOf("fsp", "deadline_s"))).toEqual([null, 0.5]);
  });

  it("do not write a default down", () => {
    const threshold = fieldOf("ssp", "threshold");
    const [choice] = withValues([{ name: "ssp", values: { threshold: [9] } }], "ssp", threshold, [threshold.default]);
    expect(choice).toEqual({ name: "ssp", values: {} });
  });
});

const figures = (makespanS: number): Figures => ({
  makespan_s: makespanS,
  num_iterations: 8,
  num_pushes: 8,
  wait_s: 1,
  wait_share: 0.1,
  transfer_s: 1,
  utilisation: 0.8,
  mean_staleness: 0,
  p95_staleness: 0,
  max_staleness: 0,
  max_lead: 1,
  bytes: null,
});
const question = (name: string, isRecorded = false) => ({ policy: { name, alpha: null }, forecaster: { name: "timing" }, is_recorded: isRecorded });
const predicted = (index: number, makespanS: number | null): Frame => ({
  type: "predicted",
  index,
  label: "predicted",
  figures: makespanS === null ? null : figures(makespanS),
  speedup: makespanS === null ? null : 10 / makespanS,
  num_extrapolated: 0,
  notes: [],
  problem: makespanS === null ? "It cannot be predicted." : null,
});
const FRAMES: Frame[] = [
  { type: "start", run_id: "r", last_seq: 7, questions: [question("ssp", true), question("bsp"), question("asp"), question("fsp")], limits: ["No loss."] },
  { type: "reading", share: 0.5 },
  { type: "recorded", label: "measured", figures: figures(10), notes: [] },
  predicted(1, 12),
  { type: "predicting", share: null },
  predicted(0, 10.5),
  predicted(3, null),
  predicted(2, 5),
];

describe("answers", () => {
  it("grow line by line", () => {
    const doing = FRAMES.map((_, i) => FRAMES.slice(0, i + 1).reduce(take, NOTHING).doing);
    expect(doing.slice(0, 4)).toEqual(["reading", "reading", "predicting", "predicting"]);
    const whole = [...FRAMES, { type: "end", detail: null } as Frame].reduce(take, NOTHING);
    expect(whole).toMatchObject({ doing: "done", lastSeq: 7, limits: ["No loss."], share: 0.5, detail: "" });
  });

  it("become rows, the shortest first, with the recorded run among them and failures last", () => {
    const rows = rowsOf(FRAMES.reduce(take, NOTHING));
    expect(rows.map(({ question: { policy }, predicted: one }) => `${String(policy["name"])} ${one ? "predicted" : "recorded"}`)).toEqual([
      "asp predicted",
      "ssp recorded",
      "ssp predicted",
      "bsp predicted",
      "fsp predicted",
    ]);
    expect(new Set(rows.map(({ key }) => key)).size).toBe(rows.length);
    expect(rowsOf(FRAMES.slice(0, 2).reduce(take, NOTHING))).toEqual([]);
  });

  it("tell how far the prediction of the recorded policy is off", () => {
    expect(errorOf(FRAMES.reduce(take, NOTHING))).toBeCloseTo(0.05);
    expect(errorOf(FRAMES.slice(0, 4).reduce(take, NOTHING))).toBeNull();
  });

  it("name a question without what is absent", () => {
    expect(keyOf(question("ssp"))).toBe("ssp timing");
  });
});

function bodyOf(...pieces: string[]): ReadableStream<Uint8Array<ArrayBuffer>> {
  const encoder = new TextEncoder();
  return new ReadableStream({
    start(controller) {
      for (const piece of pieces) controller.enqueue(encoder.encode(piece));
      controller.close();
    },
  });
}

describe("the stream", () => {
  const { signal } = new AbortController();
  afterEach(() => vi.unstubAllGlobals());

  it("is cut into lines wherever the pieces end", async () => {
    const lines = [];
    for await (const line of linesOf(bodyOf('{"a"', ':1}\n{"b":2}\n{"c', '":3}\n'), signal)) lines.push(line);
    expect(lines).toEqual(['{"a":1}', '{"b":2}', '{"c":3}']);
  });

  const ask = () => predict("r", { policies: [{ name: "bsp" }], forecaster: null }, signal, () => undefined);

  it("that ends too early is an error", async () => {
    vi.stubGlobal("fetch", () => Promise.resolve(new Response('{"type":"waiting","share":null}\n')));
    await expect(ask()).rejects.toThrow("The answer was cut off.");
  });

  it("gives the server's sentence where it refuses", async () => {
    const problem = JSON.stringify({ detail: "policies.0.threshold must be >= 0, got -1.", status: 422 });
    vi.stubGlobal("fetch", () => Promise.resolve(new Response(problem, { status: 422, headers: { "content-type": "application/problem+json" } })));
    await expect(ask()).rejects.toThrow("policies.0.threshold must be >= 0, got -1.");
  });
});

describe("the picker", () => {
  it("is drawn from the schema, takes several values and says what is wrong", async () => {
    let choices = [{ name: "ssp", values: {} }];
    const onChange = vi.fn((next: typeof choices) => {
      choices = next;
    });
    const { rerender } = render(<PolicyPicker policies={policies} choices={choices} onChange={onChange} />);
    expect(screen.getAllByRole("checkbox")).toHaveLength(policies.variants.length);
    fireEvent.click(screen.getByRole("checkbox", { name: "bsp" }));
    expect(choices.map(({ name }) => name)).toEqual(["ssp", "bsp"]);
    fireEvent.input(screen.getByRole("textbox", { name: "threshold" }), { target: { value: "1, -2" } });
    rerender(<PolicyPicker policies={policies} choices={onChange.mock.lastCall?.[0] ?? []} onChange={onChange} />);
    const row = screen.getByRole("textbox", { name: "threshold" });
    expect(row.getAttribute("aria-invalid")).toBe("true");
    await waitFor(() => expect(within(document_()).getByText("-2 must be >= 0")).toBeTruthy());
  });
});

const document_ = () => window.document.body;
