/** The routes of a run's timeline; see `backend/api/timeline.py`. */

import { request } from "./client";
import type { EventPage, EventStretch, TimelineState } from "./types";

const runPath = (runId: string) => `/runs/${encodeURIComponent(runId)}`;

export const timelineApi = {
  state: (runId: string, signal?: AbortSignal) => request<TimelineState>(`${runPath(runId)}/timeline`, { signal }),
  landmarks: (runId: string, until: number, signal?: AbortSignal) =>
    request<EventPage>(`${runPath(runId)}/timeline/landmarks?until=${until}`, { signal }),
  eventsWithin: (runId: string, fromS: number, toS: number, signal?: AbortSignal) =>
    request<EventStretch>(`${runPath(runId)}/timeline/events?from_s=${fromS}&to_s=${toS}`, { signal }),
  eventsAfter: (runId: string, after: number, limit: number, kinds: readonly string[], signal?: AbortSignal) =>
    request<EventPage>(`${runPath(runId)}/events?after=${after}&limit=${limit}&kinds=${kinds.join(",")}`, { signal }),

  /** Give a packed tile, which the browser has inflated already. */
  tile: async (runId: string, level: number, place: number): Promise<ArrayBuffer> => {
    const response = await fetch(`/api/v1${runPath(runId)}/timeline/tiles/${level}/${place}`);
    if (!response.ok) throw new Error(`a tile was answered with ${response.status}`);
    return response.arrayBuffer();
  },
};
