/** The page's upper edge: home, title, safety, people, sharing, theme, oneself. */

import type { LocalUser, Provider, ProviderState } from "@manyhands/provider";
import { Link2 } from "lucide-react";
import { Link } from "wouter";
import { ThemeMenu } from "../../app/ThemeMenu";
import { Button } from "../../ui/Button";
import { Mark } from "../../ui/Mark";
import { Tooltip } from "../../ui/Tooltip";
import type { Present } from "../usePeople";
import { OwnAvatar } from "./OwnAvatar";
import { People } from "./People";
import { StatusButton } from "./StatusButton";
import { TitleField } from "./TitleField";
import "./header.css";

export interface PageHeaderProps {
  readonly state: ProviderState;
  readonly provider: Provider;
  readonly person: LocalUser;
  readonly readOnlyTitle: boolean;
  readonly onPersonChange: (person: LocalUser) => void;
  readonly onRename: (title: string) => Promise<void>;
  readonly onShare: () => void;
  readonly onGoTo: (person: Present) => void;
}

export function PageHeader({ state, provider, person, readOnlyTitle, ...act }: PageHeaderProps) {
  return (
    <header className="page-header">
      <Tooltip label="All documents">
        <Link href="/" className="page-home" aria-label="All documents">
          <Mark size={26} />
        </Link>
      </Tooltip>
      <div className="page-heading">
        <TitleField title={state.document?.title ?? ""} readOnly={readOnlyTitle} onRename={act.onRename} />
        <StatusButton state={state} onReconnect={() => provider.reconnectNow()} />
      </div>
      <div className="page-header-end">
        <People awareness={provider.awareness} onGoTo={act.onGoTo} />
        <Button
          icon={Link2}
          variant="primary"
          className="page-share"
          aria-label="Share: copy the link"
          onClick={act.onShare}
        >
          <span className="page-share-label">Share</span>
        </Button>
        <ThemeMenu />
        <OwnAvatar person={person} onChange={act.onPersonChange} />
      </div>
    </header>
  );
}
