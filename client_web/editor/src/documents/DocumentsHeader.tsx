/** The bar above the documents: who we are, the search field, the theme. */
import { Search, X } from "lucide-react";
import type { RefObject } from "react";
import { Link } from "wouter";
import { AccountMenu } from "../account/AccountMenu";
import { useMe } from "../api/whoAmI";
import { InboxButton } from "../features/inbox/InboxButton";
import { t } from "../i18n/t";
import { IconButton } from "../ui/IconButton";
import { Keys } from "../ui/Keys";
import { Wordmark } from "../ui/Mark";
import { TextField } from "../ui/TextField";
import { ThemeMenu } from "../ui/ThemeMenu";

export interface DocumentsHeaderProps {
  readonly searchField: RefObject<HTMLInputElement | null>;
  readonly search: string;
  readonly placeholder: string;
  readonly onSearch: (text: string) => void;
}

export function DocumentsHeader({ searchField, search, placeholder, onSearch }: DocumentsHeaderProps) {
  const me = useMe();
  return (
    <header className="documents-header">
      <Link href="/" className="documents-home" aria-label={t("Manyhands, your documents")}>
        <Wordmark />
      </Link>
      {/* biome-ignore lint/a11y/useSemanticElements: browsers of 2023 do not know <search> */}
      <div role="search" className="documents-search">
        <TextField
          ref={searchField}
          type="search"
          label={t("Search by title")}
          labelHidden
          icon={Search}
          placeholder={placeholder}
          value={search}
          autoComplete="off"
          onChange={(event) => onSearch(event.currentTarget.value)}
          onKeyDown={(event) => {
            if (event.key === "Escape") onSearch("");
          }}
          trailing={
            search ? (
              <IconButton
                icon={X}
                label={t("Clear")}
                size="small"
                iconSize={16}
                onClick={() => {
                  onSearch("");
                  searchField.current?.focus();
                }}
              />
            ) : (
              <span className="documents-search-key" aria-hidden="true">
                <Keys shortcut="/" />
              </span>
            )
          }
        />
      </div>
      <div className="documents-header-end">
        <InboxButton />
        <ThemeMenu />
        {me !== null && me.kind !== "guest" && <AccountMenu me={me} className="documents-account" />}
      </div>
    </header>
  );
}
