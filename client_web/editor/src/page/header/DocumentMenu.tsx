/** The menu of the open document: what is done with it as a whole, the theme, and who edited it last. */
import type { Provider } from "@manyhands/provider";
import { Copy, FileDown, Languages, MoreVertical, PencilLine, Printer, Sun, Trash2 } from "lucide-react";
import { useRef, useState } from "react";
import { useApi } from "../../api/ApiContext";
import { useMe } from "../../api/whoAmI";
import { editorWords } from "../../documents/editorWords";
import { relativeTime } from "../../documents/times";
import { t } from "../../i18n/t";
import { IconButton } from "../../ui/IconButton";
import { Menu, MenuChoice, MenuItem, MenuLabel, MenuSeparator, SubMenu } from "../../ui/Menu";
import { ThemeChoices } from "../../ui/ThemeMenu";
import { chooseLanguageOf, languagesFor, useLanguageOf } from "../documentLanguage";

export interface DocumentMenuProps {
  readonly documentId: string;
  readonly doc: Provider["doc"];
  /** The title, and what else is said about the document as a whole. */
  readonly mayRename: boolean;
  readonly mayTrash: boolean;
  readonly mayCopy: boolean;
  readonly onCopy: () => void;
  /** As a web page, with the pictures in it. */
  readonly onDownload: () => void;
  readonly onDownloadMarkdown: () => void;
  readonly onDownloadText: () => void;
  readonly onTrash: () => void;
}

export function DocumentMenu({ documentId, doc, mayRename, mayTrash, mayCopy, ...act }: DocumentMenuProps) {
  const api = useApi();
  const ownId = useMe()?.user.id;
  const [lastEdit, setLastEdit] = useState<string | null>(null);
  // The title's field takes the focus: it must not go back to this menu's button.
  const isRenaming = useRef(false);
  const look = () =>
    api.getDocument(documentId).then(
      (entry) =>
        setLastEdit(lastEditOf(relativeTime(entry.updatedAt, new Date()), editorWords(entry, ownId))),
      () => setLastEdit(null),
    );
  return (
    <Menu
      align="end"
      onOpenChange={(open) => {
        if (open) void look();
      }}
      onCloseAutoFocus={(event) => {
        if (!isRenaming.current) return;
        event.preventDefault();
        isRenaming.current = false;
        const title = document.querySelector<HTMLInputElement>(".page-title");
        title?.focus();
        title?.select();
      }}
      trigger={<IconButton icon={MoreVertical} label={t("More about this document")} />}
    >
      {mayRename && (
        <MenuItem
          icon={PencilLine}
          onSelect={() => {
            isRenaming.current = true;
          }}
        >
          {t("Rename")}
        </MenuItem>
      )}
      {mayCopy && (
        <MenuItem icon={Copy} onSelect={act.onCopy}>
          {t("Make a copy")}
        </MenuItem>
      )}
      <SubMenu icon={FileDown} label={t("Download")}>
        <MenuItem onSelect={act.onDownload}>{t("Web page")}</MenuItem>
        <MenuItem onSelect={act.onDownloadMarkdown}>{t("Markdown")}</MenuItem>
        <MenuItem onSelect={act.onDownloadText}>{t("Plain text")}</MenuItem>
      </SubMenu>
      <MenuItem icon={Printer} onSelect={() => window.setTimeout(() => window.print())}>
        {t("Print or save as PDF…")}
      </MenuItem>
      {mayRename && (
        <SubMenu icon={Languages} label={t("Language of the text")}>
          <TextLanguages doc={doc} />
        </SubMenu>
      )}
      <SubMenu icon={Sun} label={t("Theme")}>
        <ThemeChoices />
      </SubMenu>
      {mayTrash && (
        <>
          <MenuSeparator />
          <MenuItem icon={Trash2} tone="danger" onSelect={act.onTrash}>
            {t("Move to the trash")}
          </MenuItem>
        </>
      )}
      {lastEdit !== null && (
        <>
          <MenuSeparator />
          <MenuLabel>{lastEdit}</MenuLabel>
        </>
      )}
    </Menu>
  );
}

function TextLanguages({ doc }: Pick<DocumentMenuProps, "doc">) {
  const language = useLanguageOf(doc);
  return (
    <MenuChoice
      label={t("Language of the text")}
      value={language ?? AUTOMATIC}
      onChange={(tag) => chooseLanguageOf(doc, tag === AUTOMATIC ? null : tag)}
      options={[
        { value: AUTOMATIC, label: t("Automatic") },
        ...languagesFor(language).map(({ tag, name }) => ({
          value: tag,
          label: <span lang={tag}>{name}</span>,
        })),
      ]}
    />
  );
}

const AUTOMATIC = "automatic";

function lastEditOf(when: string, who: string | null): string {
  return who === null ? t("Last change {when}", { when }) : t("Last edit {when} {who}", { when, who });
}
