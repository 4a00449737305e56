/** The button that asks the owner of a document for access. It says the same whether or not there is a document. */
import { Hand, RotateCcw } from "lucide-react";
import { useState } from "react";
import { useApi } from "../api/ApiContext";
import { explain } from "../api/api";
import { Button } from "../ui/Button";
import { useToasts } from "../ui/Toast";

export interface AskForAccessProps {
  readonly documentId: string;
  readonly onRetry: () => void;
}

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
      toasts.show({ tone: "error", message: `Your request was not sent. ${explain(error)}` });
    }
  };
  if (state === "asked") {
    return (
      <>
        <p className="page-asked" role="status">
          If there is a document here, its owner sees your request now. The document opens when you try again
          after they have let you in.
        </p>
        <Button variant="primary" icon={RotateCcw} onClick={onRetry}>
          Try again
        </Button>
      </>
    );
  }
  return (
    <Button variant="primary" icon={Hand} busy={state === "busy"} onClick={() => void ask()}>
      Ask for access
    </Button>
  );
}
