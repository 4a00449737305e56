/** Following a person: the view stays with their caret until this person scrolls, presses into the sheet or types. */
import type { Provider } from "@manyhands/provider";
import type { Editor } from "@tiptap/core";
import { X } from "lucide-react";
import { type CSSProperties, type RefObject, useCallback, useEffect, useState } from "react";
import { t } from "../i18n/t";
import { IconButton } from "../ui/IconButton";
import { type Present, peopleIn, presentName } from "./usePeople";

export interface Following {
  /** null while the view is this person's own. */
  readonly person: Present | null;
  /** Whether their caret is in the text. */
  readonly isInText: boolean;
  readonly toggle: (person: Present) => void;
  readonly stop: () => void;
}

export function useFollowing(
  { awareness }: Pick<Provider, "awareness">,
  editor: Editor | null,
  desk: RefObject<HTMLElement | null>,
): Following {
  const [id, setId] = useState<string | null>(null);
  const [person, setPerson] = useState<Present | null>(null);
  const [isInText, setInText] = useState(true);
  const stop = useCallback(() => {
    setId(null);
    setPerson(null);
  }, []);
  const toggle = useCallback((who: Present) => setId((before) => (before === who.id ? null : who.id)), []);

  useEffect(() => {
    if (id === null || !editor) return setPerson(null);
    let frame = 0;
    const look = () => {
      const found = peopleIn(awareness).find((each) => each.id === id) ?? null;
      if (found === null) return stop();
      setPerson((before) => (JSON.stringify(before) === JSON.stringify(found) ? before : found));
      const caret = found.clientIds.map((clientId) => caretOf(editor, clientId)).find(Boolean) ?? null;
      setInText(caret !== null);
      if (caret && desk.current) show(caret, desk.current);
    };
    // In the next frame the carets are drawn where they are now.
    const lookSoon = () => {
      cancelAnimationFrame(frame);
      frame = requestAnimationFrame(look);
    };
    look();
    awareness.on("change", lookSoon);
    editor.on("transaction", lookSoon);
    const stopWatching = watchOwnMoves(desk.current, stop);
    return () => {
      cancelAnimationFrame(frame);
      awareness.off("change", lookSoon);
      editor.off("transaction", lookSoon);
      stopWatching();
    };
  }, [awareness, editor, desk, id, stop]);
  return { person, isInText, toggle, stop };
}

/** Calls `moved` when this person scrolls, presses or types in the desk, or presses Escape anywhere. */
function watchOwnMoves(desk: HTMLElement | null, moved: () => void): () => void {
  const onEscape = ({ key }: KeyboardEvent) => {
    if (key === "Escape") moved();
  };
  const moves = ["wheel", "touchmove", "pointerdown", "keydown"] as const;
  for (const move of moves) desk?.addEventListener(move, moved, { passive: true });
  window.addEventListener("keydown", onEscape);
  return () => {
    for (const move of moves) desk?.removeEventListener(move, moved);
    window.removeEventListener("keydown", onEscape);
  };
}

function caretOf(editor: Editor, clientId: number): Element | null {
  return editor.view.dom.querySelector(`.page-caret[data-client-id="${clientId}"]`);
}

/** Leaves the view alone while the caret is well within: a view that moves at every key cannot be read. */
function show(caret: Element, desk: HTMLElement): void {
  const { top, height } = desk.getBoundingClientRect();
  const at = caret.getBoundingClientRect().top - top;
  if (at > height * 0.15 && at < height * 0.75) return;
  const isCalm = window.matchMedia?.("(prefers-reduced-motion: reduce)").matches ?? false;
  caret.scrollIntoView({ block: "center", behavior: isCalm ? "auto" : "smooth" });
}

/** Says whom the view follows, and ends that. */
export function FollowingNotice({ following }: { readonly following: Following }) {
  const { person, isInText, stop } = following;
  return (
    <>
      <p className="ui-hidden" role="status">
        {person && t("Following {name}. Press Escape to stop.", { name: presentName(person) })}
      </p>
      {person && (
        <section
          className="page-following"
          aria-label={t("Whom you follow")}
          style={{ "--person-color": person.color } as CSSProperties}
        >
          <span className="page-following-words">
            {isInText
              ? t("Following {name}", { name: presentName(person) })
              : t("Following {name}, who has no cursor in the text", { name: presentName(person) })}
          </span>
          <IconButton icon={X} iconSize={15} size="small" label={t("Stop following")} onClick={stop} />
        </section>
      )}
    </>
  );
}
