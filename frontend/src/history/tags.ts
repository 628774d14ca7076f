/** Tags of runs: short words by which a person finds runs again. */

/** Read "a, b": trimmed, each once. */
export function readTags(text: string): string[] {
  return [
    ...new Set(
      text
        .split(",")
        .map((tag) => tag.trim())
        .filter(Boolean),
    ),
  ];
}

/** The tags that any of the runs carries, by name, with how many carry it. */
export function sharedTags(runs: readonly { tags: readonly string[] }[]): { tag: string; num: number }[] {
  const nums = new Map<string, number>();
  for (const { tags } of runs) for (const tag of tags) nums.set(tag, (nums.get(tag) ?? 0) + 1);
  return [...nums].map(([tag, num]) => ({ tag, num })).toSorted((a, b) => a.tag.localeCompare(b.tag));
}
