/** The API's types by short names. All are generated from OpenAPI (`npm run generate`); none is written by hand. */

import type { components } from "./generated";

type Schemas = components["schemas"];

export type Account = Schemas["Account"];
export type AccountCounts = Schemas["AccountCounts"];
export type AccountScore = Schemas["AccountScore"];
export type AccountWorker = Schemas["AccountWorker"];
export type Catalogue = Schemas["Catalogue"];
export type CheckResult = Schemas["CheckResult"];
export type ComparedCurves = Schemas["ComparedCurves"];
export type Comparison = Schemas["Comparison"];
export type Difference = Schemas["Difference"];
export type Estimate = Schemas["Estimate"];
export type Experiment = Schemas["Experiment"];
export type ExperimentInfo = Schemas["ExperimentInfo"];
export type ExperimentList = Schemas["ExperimentList"];
export type ExperimentSpec = Schemas["ExperimentSpec"];
export type FieldProblem = Schemas["FieldProblem"];
export type Preset = Schemas["Preset"];
export type Problem = Schemas["Problem"];
export type QueueStatus = Schemas["QueueStatus"];
export type MetricAgainst = Schemas["MetricAgainst"];
export type MetricSpread = Schemas["MetricSpread"];
export type Run = Schemas["Run"];
export type RunPage = Schemas["RunPage"];
export type RunPatch = Schemas["RunPatch"];
export type RunSpec = Schemas["RunSpec"];
export type RunState = Run["state"];
export type RunSummary = Schemas["RunSummary"];
export type SettingGroup = Schemas["SettingGroup"];
export type WorkerSummary = Schemas["WorkerSummary"];
export type EventPage = Schemas["EventPage"];
export type EventStretch = Schemas["EventStretch"];
export type TimelineState = Schemas["TimelineState"];
