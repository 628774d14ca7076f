import type { components } from "../api/generated";

type Schemas = components["schemas"];

/** One line of a run's log. The types come from `predictor/events.py` by way of OpenAPI. */
export type Event = Schemas["Event"];
export type EventKind = Event["kind"];
export type EventOf<K extends EventKind> = Extract<Event, { kind: K }>;
export type PlannedPush = Schemas["PlannedPush"];
