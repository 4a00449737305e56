/** The button that asks the owner of a document for access. It says the same whether or not there is a document. */
import { Hand, RotateCcw } from "lucide-react";
import { useEffect, useState } from "react";
import { useApi } from "../api/ApiContext";
import { explain } from "../api/api";
import { t } from "../i18n/t";
import { Button } from "../ui/Button";
import { useToasts } from "../ui/Toast";

export interface AskForAccessProps {
  readonly documentId: string;
  /** Opens the document anew: by hand, or because this person has been let in. */
  readonly onRetry: () => void;
}

/** Milliseconds between two looks whether the owner has let this person in, and how many looks are taken at that pace. */
const LOOK_PAUSE = 3_000;
const QUICK_LOOKS = 100;
/** Afterwards: who left the page open comes back to the open document. */
const LONG_PAUSE = 30_000;

export function AskForAccess({ documentId, onRetry }: AskForAccessProps) {
  const api = useApi();
  const toasts = useToasts();
  const [state, setState] = useState<"idle" | "busy" | "asked">("idle");
  const ask = async () => {
    setState("busy");
    try {
      await api.askForAccess(documentId);
      setState("asked");
    } catch (error) {
      setState("idle");
      toasts.show({ tone: "error", message: t("Your request was not sent. {why}", { why: explain(error) }) });
    }
  };
  useEffect(() => {
    if (state !== "asked") return;
    return untilLetIn(() => api.getDocument(documentId), onRetry);
  }, [api, documentId, state, onRetry]);
  if (state === "asked") {
    return (
      <>
        <p className="page-asked" role="status">
          {t(
            "If there is a document here, its owner sees your request now. The document opens by itself as soon as they let you in.",
          )}
        </p>
        <Button variant="primary" icon={RotateCcw} onClick={onRetry}>
          {t("Try again")}
        </Button>
      </>
    );
  }
  return (
    <Button variant="primary" icon={Hand} busy={state === "busy"} onClick={() => void ask()}>
      {t("Ask for access")}
    </Button>
  );
}

/** Asks for the document until it is there, and less often while the page is not looked at. Returns the way to stop. */
function untilLetIn(ask: () => Promise<unknown>, letIn: () => void): () => void {
  let looks = 0;
  let isOver = false;
  let timer: ReturnType<typeof setTimeout>;
  const wait = () => {
    const isQuick = looks < QUICK_LOOKS && document.visibilityState === "visible";
    clearTimeout(timer);
    if (!isOver) timer = setTimeout(look, isQuick ? LOOK_PAUSE : LONG_PAUSE);
  };
  const look = () => {
    looks += 1;
    ask().then(() => !isOver && letIn(), wait);
  };
  wait();
  document.addEventListener("visibilitychange", wait);
  return () => {
    isOver = true;
    clearTimeout(timer);
    document.removeEventListener("visibilitychange", wait);
  };
}
