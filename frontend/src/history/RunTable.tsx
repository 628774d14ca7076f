import { useMemo, type ReactNode } from "react";
import type { Run } from "../api/types";
import { describeValue } from "../form/describe";
import { Link } from "../app/Link";
import { SimulatedMark } from "../ui/SimulatedMark";
import { COLUMNS, LATE_COLUMNS, type Column } from "./columns";
import { rowOf } from "./rows";
import type { RunRow } from "./types";
import { useRowWindow } from "./useRowWindow";
import { nextSort } from "./view";
import table from "../ui/Table.module.css";
import css from "./RunTable.module.css";

interface Props {
  caption: string;
  runs: readonly Run[];
  selected: readonly string[];
  onSelect: (ids: string[]) => void;
  nameOf: (run: Run) => string; // what tells the runs apart, where their names do not
  without?: readonly string[]; // columns that say nothing here
}

/** Complete runs as rows, with their figures; any number can be selected. What is the same for all of them is left out. */
export function RunTable({ caption, runs, selected, onSelect, nameOf, without = [] }: Props) {
  const names = useMemo(() => new Map(runs.map((run) => [run.id, nameOf(run)])), [runs, nameOf]);
  const rows = useMemo(() => runs.map(rowOf), [runs]);
  const hasCoverage = rows.some(({ forecast_coverage }) => forecast_coverage !== null);
  const isShown = ({ key, isExtra, ofBaseline }: Column) =>
    !isExtra &&
    !ofBaseline &&
    !without.includes(key) &&
    !(key in SAME && hasOne(rows, SAME[key])) &&
    (key !== "coverage" || hasCoverage);
  return (
    <RowTable
      caption={caption}
      rows={rows}
      columns={[...COLUMNS, ...LATE_COLUMNS].filter(isShown)}
      selected={selected}
      onSelect={onSelect}
      nameOf={({ id, name }) => names.get(id) ?? name}
      isNameLong
      isMarked={!rows.every(({ is_simulated }) => is_simulated)}
    />
  );
}

/** The columns that tell nothing where all runs have the same; the page then says it once. */
const SAME: Record<string, ((row: RunRow) => unknown) | undefined> = {
  model: ({ model }) => model,
  dataset: ({ dataset }) => dataset,
  workers: ({ num_workers }) => num_workers,
};

const hasOne = (rows: readonly RunRow[], read: ((row: RunRow) => unknown) | undefined) =>
  read !== undefined && new Set(rows.map(read)).size <= 1;

interface RowTableProps {
  caption: string;
  rows: readonly RunRow[];
  columns: readonly Column[];
  selected: readonly string[];
  isAllSelected?: boolean;
  onSelect: (ids: string[]) => void;
  sort?: string;
  onSort?: (sort: string) => void; // absent: the order is fixed
  nameOf?: (row: RunRow) => string;
  isNameLong?: boolean; // the names tell the settings
  isMarked?: boolean; // false: that the runs are simulated is said elsewhere
  baseline?: RunRow | null;
  hasExperiment?: boolean; // name the experiment of each run
  tagCell?: ((row: RunRow) => ReactNode) | undefined;
  rowMenu?: (row: RunRow) => ReactNode; // what can be done with one run, behind its name
}

/** Runs as rows. A long page draws only the rows that are seen. */
export function RowTable(props: RowTableProps) {
  const { caption, rows, columns, selected, isAllSelected = false, onSelect, sort = "", onSort, tagCell } = props;
  const { isNameLong = false } = props;
  const { body, first, last, heightPx } = useRowWindow(rows.length);
  const chosen = new Set(selected);
  const ids = rows.map(({ id }) => id);
  const numChosen = isAllSelected ? rows.length : ids.filter((id) => chosen.has(id)).length;
  const isAll = rows.length > 0 && numChosen === rows.length;
  const toggleAll = () =>
    onSelect(isAll ? selected.filter((id) => !ids.includes(id)) : [...new Set([...selected, ...ids])]);
  const toggleOne = (id: string) =>
    onSelect(
      isAllSelected
        ? ids.filter((one) => one !== id)
        : chosen.has(id)
          ? selected.filter((one) => one !== id)
          : [...selected, id],
    );
  const early = columns.filter((column) => COLUMNS.includes(column));
  const late = columns.filter((column) => !COLUMNS.includes(column));
  const heads = (some: readonly Column[]) =>
    some.map((column) => <Head key={column.key} column={column} sort={sort} onSort={onSort} />);
  return (
    <div className={table.scroll}>
      <table
        className={`${table.table ?? ""} ${css.runs ?? ""}`}
        data-long-names={isNameLong || undefined}
        aria-rowcount={rows.length + 1}
      >
        <caption className="unseen">{caption}</caption>
        <thead>
          <tr aria-rowindex={1}>
            <th scope="col" className={css.check}>
              <label>
                <input
                  type="checkbox"
                  aria-label="Select all runs of this page"
                  checked={isAll}
                  ref={(box) => {
                    if (box) box.indeterminate = numChosen > 0 && !isAll;
                  }}
                  onChange={toggleAll}
                />
              </label>
            </th>
            <Head column={NAME_COLUMN} sort={sort} onSort={onSort} className={css.name} />
            {heads(early)}
            {tagCell && <th scope="col">Tags</th>}
            {heads(late)}
          </tr>
        </thead>
        <tbody ref={body}>
          <Gap rows={first} heightPx={heightPx} />
          {rows.slice(first, last).map((row, index) => (
            <Row
              key={row.id}
              {...props}
              row={row}
              index={first + index + 2}
              isChosen={isAllSelected || chosen.has(row.id)}
              onToggle={toggleOne}
              early={early}
              late={late}
            />
          ))}
          <Gap rows={rows.length - last} heightPx={heightPx} />
        </tbody>
      </table>
    </div>
  );
}

const NAME_COLUMN: Column = { key: "name", title: "Run", sort: "name", cell: () => null };

function Gap({ rows, heightPx }: { rows: number; heightPx: number }) {
  if (rows <= 0) return null;
  return (
    <tr aria-hidden="true" className={css.gap}>
      <td style={{ height: rows * heightPx }} />
    </tr>
  );
}

interface RowProps extends RowTableProps {
  row: RunRow;
  index: number;
  isChosen: boolean;
  onToggle: (id: string) => void;
  early: readonly Column[];
  late: readonly Column[];
}

function Row({ row, index, isChosen, onToggle, early, late, baseline = null, tagCell, ...rest }: RowProps) {
  const { nameOf = (one: RunRow) => one.name, hasExperiment = false, isMarked = true, rowMenu } = rest;
  const isNamed = hasExperiment && row.experiment_name !== row.name;
  return (
    <tr aria-selected={isChosen} aria-rowindex={index} data-run={row.id}>
      <td className={css.check}>
        <label>
          <input
            type="checkbox"
            aria-label={`Select ${row.name}, ${describeValue(row.policy)}, seed ${row.seed}`}
            checked={isChosen}
            onChange={() => onToggle(row.id)}
          />
        </label>
      </td>
      <th scope="row" className={css.name}>
        <span className={css.nameLine}>
          <Link to={`/runs/${row.id}`} data-row-link title={nameOf(row)}>
            {nameOf(row)}
          </Link>
          {baseline?.id === row.id && <span className={css.pinned}>baseline</span>}
          {isNamed && <span className={css.of}>{row.experiment_name}</span>}
          {row.is_simulated && isMarked && <SimulatedMark />}
          {row.is_archived && <span className="quiet">archived</span>}
          {rowMenu?.(row)}
        </span>
      </th>
      <Cells columns={early} row={row} baseline={baseline} />
      {tagCell && <td className={css.tags}>{tagCell(row)}</td>}
      <Cells columns={late} row={row} baseline={baseline} />
    </tr>
  );
}

function Cells({ columns, row, baseline }: { columns: readonly Column[]; row: RunRow; baseline: RunRow | null }) {
  return columns.map(({ key, isFigure, cell }) => (
    <td key={key} className={isFigure ? table.right : undefined}>
      {cell(row, baseline)}
    </td>
  ));
}

interface HeadProps {
  column: Column;
  sort: string;
  onSort: RowTableProps["onSort"];
  className?: string | undefined;
}

function Head({ column, sort, onSort, className = "" }: HeadProps) {
  const { title, help, sort: key, isFigure, isDownFirst = false } = column;
  const place = `${isFigure ? (table.right ?? "") : ""} ${className}`;
  if (!key || !onSort) {
    return (
      <th scope="col" className={place} title={help}>
        {title}
      </th>
    );
  }
  const direction = sort === key ? "ascending" : sort === `-${key}` ? "descending" : undefined;
  return (
    <th scope="col" className={place} aria-sort={direction} title={help}>
      <button type="button" className={css.sort} onClick={() => onSort(nextSort(sort, key, isDownFirst))}>
        {title}
        <svg
          width="8"
          height="8"
          viewBox="0 0 8 8"
          aria-hidden="true"
          data-shown={direction !== undefined || undefined}
        >
          <path
            d={direction === "descending" ? "M1 2.5L4 6l3-3.5" : "M1 5.5L4 2l3 3.5"}
            fill="none"
            stroke="currentColor"
            strokeWidth="1.5"
          />
        </svg>
      </button>
    </th>
  );
}
