/** An open document: header, toolbar, sheet, and what stands around the sheet.
 *
 * It is drawn anew at each change of the document's safety, several times per keystroke. So what does not show the safety is memoised,
 * and gets callbacks that stay the same.
 */

import type { LocalUser, Provider, ProviderState } from "@manyhands/provider";
import { Keyboard, MessageSquareText, PanelLeft, Search } from "lucide-react";
import { type CSSProperties, useCallback, useEffect, useMemo, useRef, useState } from "react";
import { useApi } from "../api/ApiContext";
import { rememberDocument, rememberedRole } from "../api/knownDocuments";
import type { Me } from "../api/me";
import { refusalWords } from "../api/refusals";
import { shownTitle } from "../documents/titles";
import type { Foreign } from "../extensions/foreign";
import { CommentBubble } from "../features/discussion/CommentBubble";
import { DiscussionPlace } from "../features/discussion/DiscussionPlace";
import { useDiscussion } from "../features/discussion/useDiscussion";
import { Find } from "../features/find/Find";
import { useFind } from "../features/find/useFind";
import { BlockHandle } from "../features/inserting/BlockHandle";
import { BlockPress } from "../features/inserting/BlockPress";
import { BubbleMenu } from "../features/inserting/BubbleMenu";
import { CaretMenu } from "../features/inserting/CaretMenu";
import { useCaretMenus } from "../features/inserting/useCaretMenus";
import { NameQuestion } from "../features/name-question/NameQuestion";
import { ObjectTools } from "../features/ObjectTools";
import type { Refusal } from "../features/suggesting/author";
import { useMode } from "../features/suggesting/useMode";
import {
  useHasSuggestions,
  useOwnId,
  usePeopleOf,
  useSuggestingAnew,
} from "../features/suggesting/usePresent";
import { UndoNews } from "../features/undo/UndoNews";
import { t } from "../i18n/t";
import { IconButton } from "../ui/IconButton";
import { openedLater } from "../ui/later";
import { useToasts } from "../ui/Toast";
import { usePageTitle } from "../ui/usePageTitle";
import { Announcer } from "./Announcer";
import { mayTrash, readOnlyFor } from "./access";
import { CountsButton } from "./CountsButton";
import { useColorHere } from "./colors";
import { useLanguageOf } from "./documentLanguage";
import { FollowingNotice, useFollowing } from "./Following";
import { PageHeader } from "./header/PageHeader";
import { keys } from "./keys";
import { LinkMenu } from "./LinkMenu";
import { ReadOnlyNotice, RefusalNotice, SeparateCopyNotice, SetAsideNotice } from "./Notices";
import { OutlinePanel } from "./OutlinePanel";
import { useRequests } from "./sharing/useRequests";
import { FormattingToolbar, ToolbarToCome } from "./toolbar/FormattingToolbar";
import { useCaretInNew } from "./useCaretInNew";
import { useDocumentActions } from "./useDocumentActions";
import { useDocumentEditor } from "./useDocumentEditor";
import { useFacts } from "./useFacts";
import { useNarrow } from "./useNarrow";
import { usePageKeys } from "./usePageKeys";
import { useSheetEnd } from "./useSheetEnd";
import { useTitledAddress } from "./useTitledAddress";
import { useWaitingThings } from "./useWaitingThings";

const ShareDialog = openedLater(async () => (await import("./sharing/ShareDialog")).ShareDialog);
const ShortcutsSheet = openedLater(async () => (await import("./ShortcutsSheet")).ShortcutsSheet);
const ConfirmDialog = openedLater(async () => (await import("../ui/Dialog")).ConfirmDialog);

export interface DocumentViewProps {
  readonly provider: Provider;
  readonly state: ProviderState;
  readonly person: LocalUser;
  readonly me: Me | null;
  readonly onPersonChange: (person: LocalUser) => void;
  /** Open the document anew, for instance because the local copy is gone. */
  readonly onReopen: () => void;
  readonly onDownload: () => void;
  readonly onCrash: (error: unknown) => void;
}

/** What stands in the empty first line of a collapsible section. */
const SHEET_STYLE = { "--summary": JSON.stringify(t("Summary")) } as CSSProperties;

const NOTHING_FOREIGN: readonly Foreign[] = [];

export function DocumentView(props: DocumentViewProps) {
  const { provider, state, person, me, onPersonChange, onReopen, onDownload, onCrash } = props;
  const isSynced = state.status === "synced";
  const waiting = useWaitingThings(provider.documentId, isSynced);
  const given = waiting.title ?? state.document?.title ?? "";
  const title = given && shownTitle(given);
  const [foreign, setForeign] = useState(NOTHING_FOREIGN);
  const [place, setPlace] = useState<HTMLElement | null>(null);
  const [isEditingLink, setEditingLink] = useState(false);
  const [isSharing, setSharing] = useState(false);
  const [isDiscarding, setDiscarding] = useState(false);
  const desk = useRef<HTMLDivElement>(null);
  const sheet = useRef<HTMLDivElement>(null);

  const [seenAside, setSeenAside] = useState(0);
  const actions = useDocumentActions({ provider, title });
  const role = state.role ?? rememberedRole(provider.documentId);
  const because = readOnlyFor({ ...state, role }, foreign);
  const uploads = useMemo(
    () => ({
      documentId: provider.documentId,
      store: actions.storeImage,
      onUndescribed: actions.askForDescription,
      onFailure: actions.reportUpload,
      tell: actions.tell,
    }),
    [provider, actions],
  );
  const menus = useCaretMenus(provider);
  const user = useOwnId(me);
  const refuse = useCallback(
    (reason: Refusal | "loading") => {
      void import("../features/suggesting/words").then(({ refusalWords: why }) =>
        actions.refuse(why(reason)),
      );
    },
    [actions],
  );
  const mode = useMode({ documentId: provider.documentId, user, onlySuggests: role === "commenter", refuse });
  const editor = useDocumentEditor({
    provider,
    place,
    readOnly: because !== null || !mode.isWriting,
    suggester: mode.suggester,
    shown: mode.shown,
    isForeign: foreign.length > 0,
    mended: state.mended,
    uploads,
    menus,
    onForeign: setForeign,
    onCrash,
  });
  useCaretInNew(editor);
  const hasAny = useHasSuggestions(editor);
  useSuggestingAnew(provider, editor, mode.suggestAnew);
  const { dismissOfRights } = useToasts();
  // biome-ignore lint/correctness/useExhaustiveDependencies: with another role or mode the old refusals hold no more
  useEffect(() => dismissOfRights, [dismissOfRights, role, mode.mode]);
  const facts = useFacts(editor);
  const outline = useOutlineVisibility();
  const editLink = useCallback(() => setEditingLink(true), []);
  const goToText = useCallback(() => {
    if (editor) editor.commands.focus("start");
    // The text stands in its place, and takes letters, some time before the page has its editor.
    else place?.querySelector<HTMLElement>("#document")?.focus();
  }, [editor, place]);
  const api = useApi();
  const requests = useRequests(provider.documentId, isSynced && state.role === "owner", state.accessChanges);
  const following = useFollowing(provider, editor, desk);
  const color = useColorHere(provider, person.color, isSynced);
  usePeopleOf(provider, user, { ...person, color });
  const help = usePageKeys(editor, editLink);
  const find = useFind(editor);
  const discussion = useDiscussion(editor, provider, state.discussion, hasAny);
  const clickBelow = useSheetEnd(editor);
  const language = useLanguageOf(provider.doc);

  useEffect(() => {
    // For lists in the order of the last opening; nothing is lost when it fails.
    if (isSynced) api.noteOpened(provider.documentId).catch(() => undefined);
  }, [api, provider, isSynced]);

  usePageTitle(title);
  useTitledAddress(provider.documentId, title);
  useEffect(() => rememberDocument(provider.documentId, given, state.role), [provider, given, state.role]);

  const rescue = { onDownload, onSaveAsNew: actions.saveAsNewDocument };
  return (
    <div className="page">
      <a className="ui-skip-link" href="#document">
        {t("Skip to the document")}
      </a>
      <PageHeader
        state={state}
        provider={provider}
        title={title}
        waiting={waiting}
        person={person}
        color={color}
        me={me}
        because={because}
        mode={mode}
        suggestions={hasAny ? editor : null}
        onPersonChange={onPersonChange}
        onRename={actions.rename}
        onGoToText={goToText}
        asking={requests.waiting.length}
        onShare={() => setSharing(true)}
        areCommentsOpen={discussion.isListOpen}
        onComments={discussion.setListOpen}
        onCopy={actions.saveAsNewDocument}
        onDownload={onDownload}
        onDownloadMarkdown={actions.downloadMarkdown}
        onDownloadText={actions.downloadText}
        onTrash={actions.trash}
        followed={following.person?.id ?? null}
        onFollow={following.toggle}
      />
      {editor?.isEditable && (
        <FormattingToolbar
          key={provider.doc.guid}
          editor={editor}
          onEditLink={editLink}
          onComment={discussion.ask}
        />
      )}
      {!editor && !because && <ToolbarToCome />}
      {because && (
        <ReadOnlyNotice
          because={because}
          mayRestore={mayTrash(state.role)}
          onRestore={actions.restore}
          onReopen={onReopen}
          {...rescue}
        />
      )}
      {state.refusal && !(state.refusal.code === "not_a_suggestion" && mode.isComing) && (
        <RefusalNotice why={refusalWords(state.refusal)} {...rescue} onDiscard={() => setDiscarding(true)} />
      )}
      {state.setAside > seenAside && (
        <SetAsideNotice count={state.setAside} onDismiss={() => setSeenAside(state.setAside)} />
      )}
      {state.separateCopies.length > 0 && (
        <SeparateCopyNotice
          count={state.separateCopies.length}
          onDownload={actions.downloadSeparateCopies}
          onDelete={actions.deleteSeparateCopies}
        />
      )}
      {editor && <Find editor={editor} find={find} />}
      <div className="page-body">
        {!editor && outline.isShown && <div className="page-outline" />}
        {editor && outline.isShown && (
          <OutlinePanel
            editor={editor}
            headings={facts.outline}
            desk={desk}
            onClose={outline.hide}
            onGone={outline.hideIfNarrow}
          />
        )}
        <main className="page-desk" ref={desk}>
          {/* biome-ignore lint/a11y/noStaticElementInteractions: the editor in it takes keys; this catches presses beside its words */}
          <div className="page-sheet" style={SHEET_STYLE} ref={sheet} onMouseDown={clickBelow}>
            <div ref={setPlace} lang={language ?? undefined} />
            {editor && (
              <ObjectTools
                editor={editor}
                tell={actions.tell}
                onComment={state.canSuggest ? discussion.ask : null}
              />
            )}
            {editor?.isEditable && <BlockHandle editor={editor} sheet={sheet} />}
            {editor?.isEditable && <BlockPress editor={editor} sheet={sheet} />}
            {editor?.isEditable && !isEditingLink && (
              <BubbleMenu editor={editor} onEditLink={editLink} onComment={discussion.ask} />
            )}
            {editor && !editor.isEditable && state.canSuggest && (
              <CommentBubble editor={editor} onComment={discussion.ask} />
            )}
            {editor && (
              <LinkMenu
                editor={editor}
                documentId={provider.documentId}
                isEditing={isEditingLink}
                onEditingChange={setEditingLink}
                onCopy={actions.copyLink}
              />
            )}
          </div>
          {editor?.isEditable && <CaretMenu editor={editor} store={menus.store} />}
        </main>
        {editor && (
          <DiscussionPlace
            editor={editor}
            provider={provider}
            state={state}
            role={role}
            me={me}
            desk={desk}
            open={discussion}
            maySettle={because === null && role !== "commenter"}
          />
        )}
        <FollowingNotice following={following} />
        <div className="page-corner">
          {!outline.isShown && (
            <IconButton
              icon={PanelLeft}
              iconSize={17}
              size="small"
              label={t("Show the outline")}
              onClick={outline.show}
            />
          )}
          <CountsButton facts={facts} />
          <IconButton
            icon={MessageSquareText}
            iconSize={17}
            size="small"
            label={t("All comments")}
            pressed={discussion.isListOpen}
            className="page-corner-comments"
            onClick={() => discussion.setListOpen(!discussion.isListOpen)}
          />
          <IconButton
            icon={Search}
            iconSize={17}
            size="small"
            label={t("Find and replace")}
            shortcut={keys("Mod+F")}
            onClick={() => find.show(false)}
          />
          <IconButton
            icon={Keyboard}
            iconSize={17}
            size="small"
            label={t("Keyboard shortcuts")}
            shortcut={keys("Mod+/")}
            className="page-help"
            onClick={() => help.setOpen(true)}
          />
        </div>
      </div>
      <NameQuestion awareness={provider.awareness} person={person} me={me} onAnswer={onPersonChange} />
      {editor && <UndoNews editor={editor} />}
      <Announcer provider={provider} asking={requests.waiting.length} />
      <ShareDialog
        open={isSharing}
        onOpenChange={setSharing}
        documentId={provider.documentId}
        title={title}
        role={state.role}
        document={state.document}
        requests={requests}
        accessChanges={state.accessChanges}
        onCopy={actions.copyLink}
        onLeft={actions.goHome}
      />
      <ShortcutsSheet open={help.isOpen} onOpenChange={help.setOpen} />
      <ConfirmDialog
        open={isDiscarding}
        onOpenChange={setDiscarding}
        title={t("Drop what is not saved?")}
        description={t(
          "The document is loaded anew from the server. Changes that the server did not take are deleted from this device.",
        )}
        confirmLabel={t("Drop and reload")}
        tone="danger"
        onConfirm={() => void provider.discardAndReload().then(onReopen, actions.reportFailure)}
      />
    </div>
  );
}

/** The outline stands beside the sheet on wide windows, and over it, when asked for, on narrow ones. */
function useOutlineVisibility() {
  const isNarrow = useNarrow();
  const [isShownWide, setShownWide] = useState(true);
  const [isShownNarrow, setShownNarrow] = useState(false);
  const set = isNarrow ? setShownNarrow : setShownWide;
  const show = useCallback(() => set(true), [set]);
  const hide = useCallback(() => set(false), [set]);
  const hideIfNarrow = useCallback(() => setShownNarrow(false), []);
  return { isShown: isNarrow ? isShownNarrow : isShownWide, show, hide, hideIfNarrow };
}
