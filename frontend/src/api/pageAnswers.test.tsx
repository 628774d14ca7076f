import { renderHook } from "../testing";
import { afterEach, describe, expect, it, vi } from "vitest";
import { answerInPage, forgetPageAnswers, readPageAnswers } from "./pageAnswers";
import { request } from "./client";
import { useResource } from "./resource";

function writePage(url: string, answer: unknown): void {
  const block = document.createElement("script");
  block.type = "application/json";
  block.dataset["answer"] = url;
  block.textContent = JSON.stringify(answer);
  document.body.append(block);
  readPageAnswers();
}

afterEach(() => {
  forgetPageAnswers();
  vi.unstubAllGlobals();
});

describe("answers that the page holds", () => {
  it("are there in the first drawing, without a request", () => {
    const ask = vi.fn();
    vi.stubGlobal("fetch", ask);
    vi.spyOn(performance, "now").mockReturnValue(100);
    writePage("/api/v1/things", { num: 3 });
    const drawn: unknown[] = [];
    renderHook(() => drawn.push(useResource("things", (signal) => request("/things", { signal })).data));
    expect(drawn[0]).toEqual({ num: 3 });
    expect(ask).not.toHaveBeenCalled();
  });

  it("do not stand for what a fetcher makes of them", () => {
    vi.stubGlobal("fetch", vi.fn(() => new Promise(() => undefined)));
    vi.spyOn(performance, "now").mockReturnValue(100);
    writePage("/api/v1/raw", { num: 3 });
    const read = async () => (await request<{ num: number }>("/raw")).num + 1;
    expect(renderHook(() => useResource("made", read)).result.current.data).toBeUndefined();
  });

  it("are given once, not late, and not after a change", () => {
    const now = vi.spyOn(performance, "now").mockReturnValue(100);
    writePage("/a", 1);
    expect(answerInPage("/a")).toBeInstanceOf(Promise);
    expect(answerInPage("/a")).toBeUndefined();
    writePage("/a", 1);
    forgetPageAnswers();
    expect(answerInPage("/a")).toBeUndefined();
    writePage("/a", 1);
    now.mockReturnValue(60_000);
    expect(answerInPage("/a")).toBeUndefined();
  });
});
