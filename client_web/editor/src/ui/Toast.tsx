/** Short messages at the foot of the page, read out as they come, with at most one action each. */
import { X } from "lucide-react";
import { Toast as Primitive } from "radix-ui";
import { createContext, type ReactNode, useCallback, useContext, useMemo, useRef, useState } from "react";
import { t } from "../i18n/t";
import { classes } from "./classes";
import "./Toast.css";

export interface ToastAction {
  readonly label: string;
  /** What a person can do instead when the toast has gone, for screen readers. */
  readonly altText?: string;
  readonly onAction: () => void;
}

export interface ToastMessage {
  readonly message: string;
  readonly tone?: "plain" | "error";
  readonly action?: ToastAction;
  /** Milliseconds; Infinity stays until it is dismissed. Pauses under the pointer and while the window is away. */
  readonly duration?: number;
  /** It says what this person may not do at the moment, and is taken away when that changes. */
  readonly isOfRights?: boolean;
}

export interface Toasts {
  /** Shows a message and returns its id. */
  readonly show: (toast: ToastMessage) => number;
  readonly dismiss: (id: number) => void;
  /** Takes away what was said about this person's rights, which are others now. */
  readonly dismissOfRights: () => void;
}

interface ShownToast extends ToastMessage {
  readonly id: number;
}

/** More than this at once is noise: the oldest goes. */
const MOST_SHOWN = 3;
const DURATION_MS = 6000;

const ToastContext = createContext<Toasts | null>(null);

export function useToasts(): Toasts {
  const toasts = useContext(ToastContext);
  if (!toasts) throw new Error("useToasts needs a ToastProvider above it");
  return toasts;
}

export function ToastProvider({ children }: { readonly children: ReactNode }) {
  const [shown, setShown] = useState<readonly ShownToast[]>([]);
  const lastId = useRef(0);

  const dismiss = useCallback((id: number) => {
    setShown((before) => before.filter((toast) => toast.id !== id));
  }, []);
  const show = useCallback((toast: ToastMessage) => {
    lastId.current += 1;
    const id = lastId.current;
    setShown((before) => [...before, { ...toast, id }].slice(-MOST_SHOWN));
    return id;
  }, []);
  const dismissOfRights = useCallback(() => {
    setShown((before) => (before.some(isOfRights) ? before.filter((toast) => !isOfRights(toast)) : before));
  }, []);
  const toasts = useMemo(() => ({ show, dismiss, dismissOfRights }), [show, dismiss, dismissOfRights]);

  return (
    <ToastContext value={toasts}>
      <Primitive.Provider label={t("Message")} swipeDirection="down" duration={DURATION_MS}>
        {children}
        {shown.map((toast) => (
          <ToastView key={toast.id} toast={toast} onGone={() => dismiss(toast.id)} />
        ))}
        <Primitive.Viewport className="ui-toasts" label={t("Messages ({hotkey})")} />
      </Primitive.Provider>
    </ToastContext>
  );
}

function isOfRights(toast: ToastMessage): boolean {
  return toast.isOfRights === true;
}

function ToastView({ toast, onGone }: { readonly toast: ShownToast; readonly onGone: () => void }) {
  const { message, tone = "plain", action, duration = DURATION_MS } = toast;
  return (
    <Primitive.Root
      className={classes("ui-toast", tone === "error" && "ui-toast--error")}
      type={tone === "error" ? "foreground" : "background"}
      duration={duration}
      onOpenChange={(open) => {
        if (!open) onGone();
      }}
    >
      <Primitive.Description className="ui-toast-message">{message}</Primitive.Description>
      {action && (
        <Primitive.Action asChild altText={action.altText ?? action.label}>
          <button type="button" className="ui-toast-action" onClick={action.onAction}>
            {action.label}
          </button>
        </Primitive.Action>
      )}
      <Primitive.Close className="ui-toast-close" aria-label={t("Dismiss")}>
        <X aria-hidden="true" size={16} />
      </Primitive.Close>
    </Primitive.Root>
  );
}
