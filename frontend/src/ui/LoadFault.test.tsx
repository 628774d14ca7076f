import { cleanup, fireEvent, render, screen } from "../testing";
import { afterEach, expect, test, vi } from "vitest";
import { ApiError } from "../api/client";
import { useResource } from "../api/resource";
import { LoadFault } from "./LoadFault";

afterEach(cleanup);

function Reader({ fetcher, name }: { fetcher: () => Promise<string>; name: string }) {
  const { data, error } = useResource(`thing/${name}`, fetcher);
  return error ? <LoadFault title="It could not be loaded." error={error} resource="thing/" /> : <p>{data}</p>;
}

test("what failed is asked for again by its button", async () => {
  const fetcher = vi.fn<() => Promise<string>>();
  fetcher.mockRejectedValueOnce(new ApiError(503, "The disk is full.")).mockResolvedValueOnce("here");
  render(<Reader name="fails" fetcher={fetcher} />);
  expect((await screen.findByRole("alert")).textContent).toContain("The disk is full.");
  fireEvent.click(screen.getByRole("button", { name: "Try again" }));
  expect(await screen.findByText("here")).toBeDefined();
  expect(fetcher).toHaveBeenCalledTimes(2);
});

test("a refusal cannot be tried again", async () => {
  render(<Reader name="refused" fetcher={() => Promise.reject(new ApiError(404, "No such thing."))} />);
  await screen.findByText("No such thing.");
  expect(screen.queryByRole("button")).toBeNull();
});
