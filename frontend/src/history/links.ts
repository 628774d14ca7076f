export const MOST_COMPARED = 100; // runs, as the server has it

/** The address of a comparison. The first run is its baseline unless another is chosen there. */
export function compareUrl(ids: readonly string[]): string {
  return `/compare?runs=${ids.map(encodeURIComponent).join(",")}`;
}
