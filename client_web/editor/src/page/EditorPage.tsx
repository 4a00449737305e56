/** The page of one document: opens it, and shows the editor or why there is none. */

import type { LocalUser, Provider } from "@manyhands/provider";
import { useCallback, useEffect, useState } from "react";
import { SignInPage } from "../account/SignInPage";
import type { Me } from "../api/me";
import { refusalWords } from "../api/refusals";
import { explain } from "../api/rest";
import { t } from "../i18n/t";
import { useUpdates } from "../service-worker/updates";
import { ErrorBoundary } from "../ui/ErrorBoundary";
import { NotFoundPage } from "../ui/NotFoundPage";
import { useToasts } from "../ui/Toast";
import { AskForAccess } from "./AskForAccess";
import { isShutOut } from "./access";
import { DocumentView } from "./DocumentView";
import { CrashScreen, GoneScreen, LoadingScreen, LostAccessScreen, OfflineScreen } from "./Screens";
import { useDocumentActions } from "./useDocumentActions";
import { usePerson } from "./usePerson";
import { useProvider, useProviderState, useSteadyState } from "./useProvider";
import "./page.css";
import "./sheet.css";
import "./inserted.css";
import "./suggested.css";
import "./carets.css";
import "./print.css";

export function EditorPage({ documentId }: { readonly documentId: string }) {
  const { person, me, change } = usePerson();
  /** Counts the providers that this page has had: a new one after "Reload from the server" and "Try again". */
  const [life, setLife] = useState(0);
  const provider = useProvider(documentId, person, life);
  const changePerson = useCallback((changed: LocalUser) => change(changed, provider), [change, provider]);
  const reopen = useCallback(() => setLife((before) => before + 1), []);
  const ownId = me?.user.id;
  useEffect(() => {
    // By the id, this page knows its person's other tabs among those who are here.
    provider?.awareness.setLocalStateField("user", ownId === undefined ? person : { ...person, id: ownId });
  }, [provider, person, ownId]);
  if (!provider) return <LoadingScreen />;
  return (
    <OpenedDocument
      key={life}
      provider={provider}
      person={person}
      me={me}
      onPersonChange={changePerson}
      onReopen={reopen}
    />
  );
}

const loadCopies = () => import("./copies");

/** When the page has long been there, and what it loads delays nothing. */
const COPIES_AFTER_MS = 5_000;

interface OpenedDocumentProps {
  readonly provider: Provider;
  readonly person: LocalUser;
  readonly me: Me | null;
  readonly onPersonChange: (person: LocalUser) => void;
  /** Open the document anew, with another provider. */
  readonly onReopen: () => void;
}

function OpenedDocument({ provider, person, me, onPersonChange, onReopen }: OpenedDocumentProps) {
  const state = useSteadyState(provider);
  const updates = useUpdates();
  const isSynced = state.status === "synced";
  useEffect(() => {
    if (isSynced) updates.look();
  }, [updates, isSynced]);
  const [crash, setCrash] = useState<{ readonly error: unknown } | null>(null);
  const toasts = useToasts();
  useEffect(() => {
    if (!isSynced) return;
    // Whoever needs a copy may have no network any more.
    const timer = setTimeout(() => void loadCopies().catch(() => undefined), COPIES_AFTER_MS);
    return () => clearTimeout(timer);
  }, [isSynced]);
  const download = async () => {
    try {
      const { copyOf, lossOf, save } = await loadCopies();
      const copy = await copyOf(provider.copy(), state.document?.title ?? "");
      save(copy);
      if (copy.lostPictures > 0) toasts.show({ message: lossOf(copy.lostPictures) });
    } catch (error) {
      toasts.show({ tone: "error", message: `${t("No file was made.")} ${explain(error)}` });
    }
  };
  if (crash) return <CrashScreen error={crash.error} onDownload={() => void download()} />;
  if (!state.loaded) {
    if (isShutOut(state)) {
      return <NotFoundPage action={<AskForAccess documentId={provider.documentId} onRetry={onReopen} />} />;
    }
    if (state.closed?.code === "unauthenticated") return <SignInPage />;
    if (state.closed)
      return (
        <GoneScreen title={t("This document cannot be opened")}>{refusalWords(state.closed)}</GoneScreen>
      );
    if (state.status === "offline") {
      return <OfflineScreen turnedAway={state.turnedAway} onRetry={() => provider.reconnectNow()} />;
    }
    return <LoadingScreen progress={state.progress} />;
  }
  if (isShutOut(state)) {
    return <LostAccess provider={provider} onDownload={() => void download()} onRetry={onReopen} />;
  }
  return (
    <ErrorBoundary fallback={(error) => <CrashScreen error={error} onDownload={() => void download()} />}>
      <DocumentView
        provider={provider}
        state={state}
        person={person}
        me={me}
        onPersonChange={onPersonChange}
        onReopen={onReopen}
        onDownload={() => void download()}
        onCrash={(error) => setCrash({ error })}
      />
    </ErrorBoundary>
  );
}

interface LostAccessProps {
  readonly provider: Provider;
  readonly onDownload: () => void;
  readonly onRetry: () => void;
}

function LostAccess({ provider, onDownload, onRetry }: LostAccessProps) {
  const state = useProviderState(provider);
  const { saveAsNewDocument } = useDocumentActions({ provider, title: state.document?.title ?? "" });
  return (
    <LostAccessScreen
      unsaved={state.unsaved}
      wasTaken={state.closed?.code === "forbidden"}
      onDownload={onDownload}
      onSaveAsNew={saveAsNewDocument}
      onRetry={onRetry}
    />
  );
}
