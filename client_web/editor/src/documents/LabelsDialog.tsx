/** The dialog that gives labels to documents, and takes them away. */
import { Plus } from "lucide-react";
import { type FormEvent, useEffect, useRef, useState } from "react";
import { useApi } from "../api/ApiContext";
import type { DocumentEntry } from "../api/api";
import { t } from "../i18n/t";
import { Button } from "../ui/Button";
import { Dialog } from "../ui/Dialog";
import { TextField } from "../ui/TextField";
import { shownTitle } from "./titles";

export interface LabelsDialogProps {
  readonly documents: readonly DocumentEntry[];
  readonly onSave: (changes: ReadonlyMap<string, boolean>) => void;
  readonly onClose: () => void;
}

/** The server's limit, in characters. */
const LONGEST_LABEL = 40;

export function LabelsDialog({ documents, onSave, onClose }: LabelsDialogProps) {
  const api = useApi();
  const [listed, setListed] = useState<readonly string[]>([]);
  const [changes, setChanges] = useState<ReadonlyMap<string, boolean>>(new Map());
  const [fresh, setFresh] = useState("");
  useEffect(() => {
    api.listLabels().then(setListed, () => undefined);
  }, [api]);

  const set = (label: string, given: boolean) => setChanges(new Map([...changes, [label, given]]));
  const labels = [...new Set([...documents.flatMap((each) => each.labels), ...listed, ...changes.keys()])];
  labels.sort((one, other) => one.localeCompare(other));
  const add = (event: FormEvent) => {
    event.preventDefault();
    const wanted = fresh.trim().replace(/\s+/g, " ");
    if (wanted === "") return;
    set(labels.find((label) => label.toLowerCase() === wanted.toLowerCase()) ?? wanted, true);
    setFresh("");
  };
  return (
    <Dialog
      open
      onOpenChange={onClose}
      title={
        documents.length === 1 ? (
          <span dir="auto">{t("Labels of “{title}”", { title: shownTitle(documents[0]?.title ?? "") })}</span>
        ) : (
          t("Labels of {count, number} documents", { count: documents.length })
        )
      }
      description={t("Everybody who can open a document sees its labels.")}
      footer={
        <>
          <Button onClick={onClose}>{t("Cancel")}</Button>
          <Button
            variant="primary"
            onClick={() => {
              const wanted = fresh.trim();
              onSave(wanted === "" ? changes : new Map([...changes, [wanted, true]]));
            }}
          >
            {t("Save")}
          </Button>
        </>
      }
    >
      <form className="documents-label-form" onSubmit={add}>
        <TextField
          label={t("New label")}
          value={fresh}
          maxLength={LONGEST_LABEL}
          autoComplete="off"
          onChange={({ target }) => setFresh(target.value)}
        />
        <Button type="submit" icon={Plus} disabled={fresh.trim() === ""}>
          {t("Add")}
        </Button>
      </form>
      {labels.length > 0 && (
        <ul className="documents-label-list" aria-label={t("Labels")}>
          {labels.map((label) => (
            <li key={label}>
              <LabelBox label={label} documents={documents} change={changes.get(label)} onChange={set} />
            </li>
          ))}
        </ul>
      )}
    </Dialog>
  );
}

interface LabelBoxProps {
  readonly label: string;
  readonly documents: readonly DocumentEntry[];
  readonly change: boolean | undefined;
  readonly onChange: (label: string, given: boolean) => void;
}

function LabelBox({ label, documents, change, onChange }: LabelBoxProps) {
  const box = useRef<HTMLInputElement>(null);
  const having = documents.filter((each) => each.labels.includes(label)).length;
  const isMixed = change === undefined && having > 0 && having < documents.length;
  useEffect(() => {
    if (box.current) box.current.indeterminate = isMixed;
  }, [isMixed]);
  return (
    <label className="documents-label-choice">
      <input
        ref={box}
        type="checkbox"
        checked={change ?? having === documents.length}
        onChange={({ target }) => onChange(label, target.checked)}
      />
      <span dir="auto">{label}</span>
    </label>
  );
}

/** Returns the labels that a document has after some were given and others taken away. */
export function labelsAfter(
  labels: readonly string[],
  changes: ReadonlyMap<string, boolean>,
): readonly string[] {
  const kept = labels.filter((label) => changes.get(label) !== false);
  const added = [...changes].filter(([label, given]) => given && !labels.includes(label));
  return [...kept, ...added.map(([label]) => label)];
}
