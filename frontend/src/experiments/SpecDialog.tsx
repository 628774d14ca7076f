import type { TargetedEvent } from "preact";
import { useEffect, useRef, useState } from "react";
import { ApiError } from "../api/client";
import { control } from "../api/control";
import type { ExperimentSpec, FieldProblem } from "../api/types";
import { describePath } from "../form/describe";
import { isData, type Data } from "../form/values";
import { Button } from "../ui/Button";
import { Dialog } from "../ui/Dialog";
import { toast } from "../ui/Toasts";
import { numRuns, specOf, type Draft } from "./draft";
import css from "./SpecDialog.module.css";

type Form = "yaml" | "json";

const PAUSE_MS = 50; // two changes at once are one question
const MAX_BYTES = 64 * 1024;

interface Props {
  draft: Draft;
  problems: readonly FieldProblem[]; // of the draft, which cannot be written down as long as there are any
  onUse: (spec: ExperimentSpec) => void;
  onClose: () => void;
}

/** The experiment as the text of a file: to copy, to save and to repeat; or another one, pasted or opened. */
export function SpecDialog({ draft, problems, onUse, onClose }: Props) {
  const [form, setForm] = useState<Form>("yaml");
  const written = useWritten(draft, form, problems);
  const [typed, setTyped] = useState<string | null>(null); // null: the draft as it is
  const [isBusy, setBusy] = useState(false);
  const [refusal, setRefusal] = useState("");
  const text = typed ?? written.text;
  const isOther = typed !== null && typed !== written.text;
  const change = (next: string | null) => {
    setTyped(next);
    setRefusal("");
  };
  const use = async () => {
    setBusy(true);
    try {
      onUse(await control.readSpec(text));
      onClose();
      toast({ text: "The form holds the settings of the text." });
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      setRefusal(error.message);
    }
    setBusy(false);
  };
  const file = `${fileName(draft.name)}.${form}`;
  const num = numRuns(draft);
  return (
    <Dialog
      title="The experiment as a file"
      onClose={onClose}
      isWide
      actions={
        <>
          <OpenFile onText={change} onRefusal={setRefusal} />
          <Button onClick={() => void copy(text)} disabled={text === ""}>
            Copy
          </Button>
          <Button onClick={() => save(file, text)} disabled={text === ""}>
            Save as {file}
          </Button>
          <Button kind="primary" isBusy={isBusy} disabled={!isOther} onClick={() => void use()}>
            Use this text
          </Button>
        </>
      }
    >
      <div className={css.head}>
        <p id="spec-text-help">
          {num === 1 ? "One run, complete with defaults." : `An experiment of ${num} runs.`} Repeat it without the
          dashboard: <code>foresync run {file}</code>. Or paste other settings here.
        </p>
        <div role="group" aria-label="Format" className={css.formats}>
          {(["yaml", "json"] as const).map((one) => (
            <button
              key={one}
              type="button"
              aria-pressed={form === one}
              onClick={() => {
                setForm(one);
                change(null);
              }}
            >
              {one.toUpperCase()}
            </button>
          ))}
        </div>
      </div>
      <textarea
        className={css.text}
        aria-label="Text of the file"
        aria-describedby="spec-text-help spec-text-wrong"
        aria-invalid={refusal !== "" || undefined}
        spellcheck={false}
        rows={18}
        value={text}
        onChange={({ currentTarget }) => change(currentTarget.value)}
      />
      <p id="spec-text-wrong" role="alert" className={css.wrong}>
        {refusal || (isOther ? "" : written.problem)}
      </p>
    </Dialog>
  );
}

/** The draft without what its grid overrules, which would only puzzle a reader of the file. */
export function fileOf(draft: Draft): ReturnType<typeof specOf> {
  const spec = specOf(draft);
  const run = Object.keys(spec.grid).reduce<Data>((data, path) => without(data, path.split(".")), spec.run);
  return { ...spec, run };
}

function without(data: Data, [head = "", ...rest]: string[]): Data {
  const { [head]: inner, ...others } = data;
  return rest.length > 0 && isData(inner) ? { ...data, [head]: without(inner, rest) } : others;
}

/** The draft as text, written by the server, so that it reads it back. */
function useWritten(
  draft: Draft,
  form: Form,
  problems: readonly FieldProblem[],
): { text: string; problem: string } {
  const [written, setWritten] = useState({ text: "", problem: "" });
  const isWrong = problems.length > 0;
  useEffect(() => {
    if (isWrong) return;
    const controller = new AbortController();
    const timer = window.setTimeout(() => {
      control.writeSpec(fileOf(draft), form, controller.signal).then(
        (text) => setWritten({ text, problem: "" }),
        (error: unknown) => {
          if (controller.signal.aborted) return;
          if (!(error instanceof ApiError)) throw error;
          setWritten({ text: "", problem: `The form cannot be written down yet: ${error.message}` });
        },
      );
    }, PAUSE_MS);
    return () => {
      window.clearTimeout(timer);
      controller.abort();
    };
  }, [draft, form, isWrong]);
  return isWrong ? { text: "", problem: whyUnwritten(problems) } : written;
}

function OpenFile({ onText, onRefusal }: { onText: (text: string) => void; onRefusal: (sentence: string) => void }) {
  const input = useRef<HTMLInputElement>(null);
  const read = async ({ currentTarget }: TargetedEvent<HTMLInputElement>) => {
    const [file] = currentTarget.files ?? [];
    currentTarget.value = ""; // the same file may be opened again
    if (!file) return;
    if (file.size > MAX_BYTES) onRefusal(`${file.name} is too long to be an experiment: it has ${file.size} bytes.`);
    else onText(await file.text());
  };
  return (
    <>
      <input
        ref={input}
        type="file"
        accept=".yaml,.yml,.json"
        aria-label="File with an experiment"
        hidden
        onChange={(event) => void read(event)}
      />
      <Button kind="quiet" className={css.open ?? ""} onClick={() => input.current?.click()}>
        Open a file
      </Button>
    </>
  );
}

async function copy(text: string): Promise<void> {
  try {
    await navigator.clipboard.writeText(text);
    toast({ text: "The text was copied." });
  } catch {
    toast({ text: "The browser does not let the page copy; select the text and copy it yourself." });
  }
}

function save(name: string, text: string): void {
  const address = URL.createObjectURL(new Blob([text], { type: "text/plain" }));
  const link = document.createElement("a");
  link.href = address;
  link.download = name;
  link.click();
  window.setTimeout(() => URL.revokeObjectURL(address), 10_000);
}

/** "The form cannot be written down yet: Seeds must be whole numbers, got x." */
export function whyUnwritten(problems: readonly FieldProblem[]): string {
  const wishes = problems.map(({ field, wish }) => `${describePath(field)} ${wish}`);
  return `The form cannot be written down yet: ${wishes.join("; ")}. You can still paste or open other settings.`;
}

/** A name that every file system takes: "Which threshold?" -> "which-threshold". */
export function fileName(name: string): string {
  const plain = name
    .normalize("NFKD")
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, "-")
    .replace(/^-+|-+$/g, "")
    .slice(0, 60);
  return plain || "experiment";
}
