/** Light, dark, or as the system has it: remembered in this browser, the same in all of its tabs.
 *
 * public/theme.js applies the stored choice before the first paint; both sides know the key and the attribute.
 */
import { createContext, useContext, useSyncExternalStore } from "react";

export type ThemeChoice = "system" | "light" | "dark";

export const THEME_KEY = "manyhands:theme";

export interface Theme {
  readonly choice: () => ThemeChoice;
  readonly choose: (choice: ThemeChoice) => void;
  readonly subscribe: (listener: () => void) => () => void;
}

/** Keeps the choice in `window`'s storage, and in memory where storage is closed to the page. */
export function createTheme(window: Window): Theme {
  const root = window.document.documentElement;
  const listeners = new Set<() => void>();
  let choice = stored(window);

  const apply = (chosen: ThemeChoice) => {
    choice = chosen;
    if (chosen === "system") delete root.dataset.theme;
    else root.dataset.theme = chosen;
    for (const listener of listeners) listener();
  };
  apply(choice);
  window.addEventListener("storage", (event) => {
    if (event.key === THEME_KEY || event.key === null) apply(stored(window));
  });

  return {
    choice: () => choice,
    choose: (chosen) => {
      apply(chosen);
      try {
        window.localStorage.setItem(THEME_KEY, chosen);
      } catch {
        // Storage may be full or forbidden: the choice then lasts as long as the page.
      }
    },
    subscribe: (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
}

export const ThemeContext = createContext<Theme | null>(null);

export function useTheme(): { readonly choice: ThemeChoice; readonly choose: (choice: ThemeChoice) => void } {
  const theme = useContext(ThemeContext);
  if (!theme) throw new Error("useTheme needs a ThemeContext above it");
  return { choice: useSyncExternalStore(theme.subscribe, theme.choice), choose: theme.choose };
}

function stored(window: Window): ThemeChoice {
  try {
    const choice = window.localStorage.getItem(THEME_KEY);
    return choice === "light" || choice === "dark" ? choice : "system";
  } catch {
    return "system";
  }
}
