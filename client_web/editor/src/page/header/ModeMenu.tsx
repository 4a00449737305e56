/** How this person works in the document: editing, suggesting or viewing; and how suggestions are shown. */

import type { Editor } from "@tiptap/core";
import { ChevronDown, Eye, Lightbulb, type LucideIcon, PencilLine } from "lucide-react";
import { lazy, Suspense, useEffect, useRef } from "react";
import type { Mode, ModeSwitch, View } from "../../features/suggesting/useMode";
import { t } from "../../i18n/t";
import { Button } from "../../ui/Button";
import { Menu, MenuChoice, MenuLabel, MenuSeparator } from "../../ui/Menu";

export const MODE_NAMES: Readonly<Record<Mode, { readonly icon: LucideIcon; readonly label: string }>> = {
  editing: { icon: PencilLine, label: t("Editing|mode") },
  suggesting: { icon: Lightbulb, label: t("Suggesting|mode") },
  viewing: { icon: Eye, label: t("Viewing|mode") },
};

const VIEWS: Readonly<Record<View, string>> = {
  inline: t("Suggestions marked"),
  accepted: t("As if all were accepted"),
  without: t("Without suggestions"),
};

export interface ModeMenuProps {
  readonly mode: ModeSwitch;
  /** The editor of a document in which anything is suggested. */
  readonly suggestions: Editor | null;
  readonly maySettle: boolean;
}

/** As in other editors: Z for editing, X for suggesting, C for viewing, with Ctrl, Alt and Shift. */
const KEYS: Readonly<Record<string, Mode>> = { KeyZ: "editing", KeyX: "suggesting", KeyC: "viewing" };

const AllSuggestions = lazy(async () => ({
  default: (await import("../../features/suggesting/AllSuggestions")).AllSuggestions,
}));

export function ModeMenu({
  mode: { mode, modes, view, change, show },
  suggestions,
  maySettle,
}: ModeMenuProps) {
  useEffect(() => {
    const onKeyDown = (event: KeyboardEvent) => {
      const wanted = KEYS[event.code];
      const isShortcut = event.altKey && event.shiftKey && (event.ctrlKey || event.metaKey);
      if (!isShortcut || !wanted || !modes.includes(wanted)) return;
      event.preventDefault();
      change(wanted);
    };
    window.addEventListener("keydown", onKeyDown);
    return () => window.removeEventListener("keydown", onKeyDown);
  }, [change, modes]);
  // Whoever has chosen goes on in the text: a blank typed at the button would open the menu again.
  const hasChosen = useRef(false);
  const choosing =
    <Choice,>(choose: (choice: Choice) => void) =>
    (choice: Choice) => {
      hasChosen.current = true;
      choose(choice);
    };
  const { icon, label } = MODE_NAMES[mode];
  const shown = view === "inline" ? label : VIEWS[view];
  return (
    <Menu
      align="start"
      onCloseAutoFocus={(event) => {
        if (!hasChosen.current) return;
        hasChosen.current = false;
        event.preventDefault();
        document.getElementById("document")?.focus({ preventScroll: true });
      }}
      trigger={
        <Button
          size="small"
          variant="ghost"
          icon={icon}
          className="page-mode-menu"
          aria-label={t("Mode: {mode}", { mode: shown })}
        >
          <span className="page-mode-label">{shown}</span>
          <ChevronDown aria-hidden="true" size={14} />
        </Button>
      }
    >
      <MenuChoice
        label={t("Mode")}
        value={mode}
        onChange={choosing(change)}
        options={modes.map((value) => ({ value, ...MODE_NAMES[value] }))}
      />
      <MenuSeparator />
      <MenuLabel>{t("Show the document")}</MenuLabel>
      <MenuChoice
        label={t("Show the document")}
        value={view}
        onChange={choosing(show)}
        options={(["inline", "accepted", "without"] as const).map((value) => ({
          value,
          label: VIEWS[value],
        }))}
      />
      {suggestions && maySettle && view === "inline" && (
        <Suspense>
          <AllSuggestions editor={suggestions} />
        </Suspense>
      )}
    </Menu>
  );
}
