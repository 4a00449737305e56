/** Opens the documents page on a server in memory and says what a person sees and does there. */
import { fireEvent, render, screen, within } from "@testing-library/react";
import { Router } from "wouter";
import { memoryLocation } from "wouter/memory-location";
import { ApiContext } from "../../src/api/ApiContext";
import { NOBODY, type WhoAmI, WhoContext } from "../../src/api/whoAmI";
import { DocumentsPage } from "../../src/documents/DocumentsPage";
import type { DocumentsView } from "../../src/documents/views";
import { ToastProvider } from "../../src/ui/Toast";
import { TooltipProvider } from "../../src/ui/Tooltip";
import { createTheme, ThemeContext } from "../../src/ui/theme";
import type { CatalogueServer } from "./catalogueServer";

export interface OpenPage {
  /** Addresses gone to, oldest first. */
  readonly visited: readonly string[];
  readonly goesTo: (view: DocumentsView) => void;
}

export function openPage(
  server: CatalogueServer,
  view: DocumentsView = "documents",
  who: WhoAmI = NOBODY,
): OpenPage {
  const { hook, searchHook, history } = memoryLocation({ path: "/", record: true });
  const page = (shown: DocumentsView) => (
    <Router hook={hook} searchHook={searchHook}>
      <ThemeContext value={createTheme(window)}>
        <ApiContext value={server.api}>
          <WhoContext value={who}>
            <TooltipProvider>
              <ToastProvider>
                <DocumentsPage view={shown} onApproach={() => undefined} />
              </ToastProvider>
            </TooltipProvider>
          </WhoContext>
        </ApiContext>
      </ThemeContext>
    </Router>
  );
  const { rerender } = render(page(view));
  return { visited: history, goesTo: (next) => rerender(page(next)) };
}

/** The listed titles, from the top. */
export function listed(): readonly string[] {
  return rows().map((row) => row.textContent ?? "");
}

/** The link of a row; waits until it is there. */
export function row(title: string): Promise<HTMLElement> {
  return screen.findByRole("link", { name: title });
}

export function press(target: Element, key: string): void {
  fireEvent.keyDown(target, { key });
}

/** Presses a key where the focus is. */
export function pressHere(key: string): void {
  press(document.activeElement ?? document.body, key);
}

/** Opens a row's menu and picks a command. */
export async function pick(title: string, command: string): Promise<void> {
  press(await screen.findByRole("button", { name: `More about ${title}` }), "Enter");
  fireEvent.click(await screen.findByRole("menuitem", { name: new RegExp(command) }));
}

export function search(text: string): void {
  fireEvent.change(screen.getByRole("searchbox"), { target: { value: text } });
}

function rows(): readonly HTMLElement[] {
  const main = within(screen.getByRole("main"));
  return main.queryAllByRole("link").filter((link) => link.classList.contains("documents-row-link"));
}
