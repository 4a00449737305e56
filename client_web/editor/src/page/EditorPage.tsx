/** The page of one document: opens it, and shows the editor or why there is none. */

import type { LocalUser, Provider } from "@manyhands/provider";
import { useCallback, useState } from "react";
import { ErrorBoundary } from "../app/ErrorBoundary";
import { NotFoundPage } from "../app/NotFoundPage";
import { copyOf, save } from "./copies";
import { DocumentView } from "./DocumentView";
import { browserStorage, loadPerson, savePerson } from "./identity";
import { CrashScreen, GoneScreen, LoadingScreen, OfflineScreen } from "./Screens";
import { useProvider, useProviderState } from "./useProvider";
import "./page.css";
import "./sheet.css";
import "./carets.css";
import "./print.css";

export function EditorPage({ documentId }: { readonly documentId: string }) {
  const [person, setPerson] = useState(() => loadPerson(browserStorage(), Math.random));
  /** Counts the providers that this page has had: a new one after "Reload from the server". */
  const [life, setLife] = useState(0);
  const provider = useProvider(documentId, person, life);
  const changePerson = useCallback(
    (changed: LocalUser) => {
      savePerson(browserStorage(), changed);
      setPerson(changed);
      provider?.setUser(changed);
      provider?.awareness.setLocalStateField("user", changed);
    },
    [provider],
  );
  if (!provider) return <LoadingScreen />;
  return (
    <OpenedDocument
      key={life}
      provider={provider}
      person={person}
      onPersonChange={changePerson}
      onDiscarded={() => setLife(life + 1)}
    />
  );
}

interface OpenedDocumentProps {
  readonly provider: Provider;
  readonly person: LocalUser;
  readonly onPersonChange: (person: LocalUser) => void;
  readonly onDiscarded: () => void;
}

function OpenedDocument({ provider, person, onPersonChange, onDiscarded }: OpenedDocumentProps) {
  const state = useProviderState(provider);
  const [crash, setCrash] = useState<{ readonly error: unknown } | null>(null);
  const download = () => save(copyOf(provider.copy(), state.document?.title ?? ""));
  if (crash) return <CrashScreen error={crash.error} onDownload={download} />;
  if (!state.loaded) {
    if (state.closed?.code === "not_found" || state.closed?.code === "forbidden") return <NotFoundPage />;
    if (state.closed)
      return <GoneScreen title="This document cannot be opened">{state.closed.message}</GoneScreen>;
    if (state.status === "offline") return <OfflineScreen onRetry={() => provider.reconnectNow()} />;
    return <LoadingScreen progress={state.progress} />;
  }
  return (
    <ErrorBoundary fallback={(error) => <CrashScreen error={error} onDownload={download} />}>
      <DocumentView
        provider={provider}
        state={state}
        person={person}
        onPersonChange={onPersonChange}
        onDiscarded={onDiscarded}
        onDownload={download}
        onCrash={(error) => setCrash({ error })}
      />
    </ErrorBoundary>
  );
}
