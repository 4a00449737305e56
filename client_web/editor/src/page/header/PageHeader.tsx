/** The page's upper edge: home, title, safety, people, sharing, the document's menu, oneself. */

import type { LocalUser, Provider, ProviderState } from "@manyhands/provider";
import type { Editor } from "@tiptap/core";
import { MessageSquareText, UserRoundPlus } from "lucide-react";
import { Link } from "wouter";
import { AccountMenu } from "../../account/AccountMenu";
import type { Me } from "../../api/me";
import { InboxButton } from "../../features/inbox/InboxButton";
import type { ModeSwitch } from "../../features/suggesting/useMode";
import { t } from "../../i18n/t";
import { Button } from "../../ui/Button";
import { IconButton } from "../../ui/IconButton";
import { Mark } from "../../ui/Mark";
import { Tooltip } from "../../ui/Tooltip";
import { mayTrash, type ReadOnly } from "../access";
import { askingWords } from "../sharing/useRequests";
import type { Present } from "../usePeople";
import type { WaitingThings } from "../useWaitingThings";
import { DocumentMenu } from "./DocumentMenu";
import { ModeChip } from "./ModeChip";
import { ModeMenu } from "./ModeMenu";
import { OwnAvatar } from "./OwnAvatar";
import { People } from "./People";
import { StatusButton } from "./StatusButton";
import { TitleField } from "./TitleField";
import "./header.css";

export interface PageHeaderProps {
  readonly state: ProviderState;
  readonly provider: Provider;
  readonly title: string;
  /** What waits on this device for the server. */
  readonly waiting: WaitingThings;
  readonly person: LocalUser;
  /** This person's, as the others see it. */
  readonly color: string;
  /** null while the server has not said. */
  readonly me: Me | null;
  /** Why nothing can be written; null when it can. */
  readonly because: ReadOnly | null;
  readonly mode: ModeSwitch;
  /** The editor of a document in which anything is suggested. */
  readonly suggestions: Editor | null;
  readonly onPersonChange: (person: LocalUser) => void;
  readonly onRename: (title: string) => Promise<void>;
  readonly onGoToText: () => void;
  /** How many people ask for access. */
  readonly asking: number;
  readonly onShare: () => void;
  readonly areCommentsOpen: boolean;
  readonly onComments: (areOpen: boolean) => void;
  readonly onCopy: () => void;
  readonly onDownload: () => void;
  readonly onDownloadMarkdown: () => void;
  readonly onDownloadText: () => void;
  readonly onTrash: () => void;
  /** The id of the person whom the view follows. */
  readonly followed: string | null;
  readonly onFollow: (person: Present) => void;
}

export function PageHeader(props: PageHeaderProps) {
  const { state, provider, title, waiting, person, color, me, because, mode, suggestions, ...act } = props;
  const isCommenter = state.role === "commenter";
  const readOnlyTitle = isCommenter || (because !== null && because.reason !== "foreign");
  return (
    <header className="page-header">
      <Tooltip label={t("All documents")}>
        <Link href="/" className="page-home" aria-label={t("All documents")}>
          <Mark size={26} />
        </Link>
      </Tooltip>
      <div className="page-heading">
        <TitleField
          title={title}
          readOnly={readOnlyTitle}
          onRename={act.onRename}
          onGoToText={act.onGoToText}
        />
        {(waiting.title !== null || waiting.pictures > 0) && (
          <span className="page-title-waiting" role="status">
            {waitingWords(waiting)}
          </span>
        )}
        {because === null ? (
          <ModeMenu mode={mode} suggestions={suggestions} maySettle={!isCommenter} />
        ) : (
          <ModeChip because={because} />
        )}
        <StatusButton provider={provider} />
      </div>
      <div className="page-header-end">
        <People awareness={provider.awareness} followed={act.followed} onFollow={act.onFollow} />
        <IconButton
          icon={MessageSquareText}
          label={t("All comments")}
          pressed={act.areCommentsOpen}
          className="page-comments"
          onClick={() => act.onComments(!act.areCommentsOpen)}
        />
        <InboxButton changes={state.status === "synced" ? state.inboxChanges + 1 : 0} />
        <Button
          icon={UserRoundPlus}
          variant="primary"
          className="page-share"
          aria-label={shareWords(act.asking)}
          onClick={act.onShare}
        >
          <span className="page-share-label">{t("Share")}</span>
          {act.asking > 0 && (
            <span className="page-share-asking" aria-hidden="true">
              {act.asking}
            </span>
          )}
        </Button>
        <DocumentMenu
          documentId={provider.documentId}
          doc={provider.doc}
          mayRename={!readOnlyTitle}
          mayTrash={mayTrash(state.role) && !state.document?.trashedAt}
          mayCopy={me?.mayCreate !== false}
          onCopy={act.onCopy}
          onDownload={act.onDownload}
          onDownloadMarkdown={act.onDownloadMarkdown}
          onDownloadText={act.onDownloadText}
          onTrash={act.onTrash}
        />
        {me === null || me.kind === "guest" ? (
          <OwnAvatar person={person} color={color} onChange={act.onPersonChange} />
        ) : (
          <AccountMenu me={me} color={color} className="page-person" />
        )}
      </div>
    </header>
  );
}

function waitingWords({ title, pictures }: WaitingThings): string {
  if (pictures === 0) return t("Title kept on this device");
  if (title !== null)
    return t(
      "{count, plural, one {Title and picture kept on this device} other {Title and pictures kept on this device}}",
      { count: pictures },
    );
  return t("{count, plural, one {Picture kept on this device} other {# pictures kept on this device}}", {
    count: pictures,
  });
}

function shareWords(asking: number): string {
  if (asking === 0) return t("Share");
  return t("Share. {asking}", { asking: askingWords(asking) });
}
