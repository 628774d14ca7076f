/** The API's types of the history by short names, generated like all others. */

import type { components } from "../api/generated";

type Schemas = components["schemas"];

export type RunRow = Schemas["RunRow"];
export type RowPage = Schemas["RowPage"];
export type Facet = Schemas["Facet"];
export type Facets = Schemas["Facets"];
export type FilterKey = Schemas["FilterKey"];
export type FilterHelp = Schemas["FilterHelp"];
export type RunsChange = Schemas["RunsChange"];
export type RunsChanged = Schemas["RunsChanged"];
export type SavedView = Schemas["SavedView"];
export type SavedViews = Schemas["SavedViews"];
export type NewView = Schemas["NewView"];
export type Baseline = Schemas["Baseline"];
