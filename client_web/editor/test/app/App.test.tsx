/** Addresses lead to their pages, and news of a new version reaches whoever is there. */
import { cleanup, fireEvent, render, screen } from "@testing-library/react";
import { afterEach, expect, test, vi } from "vitest";
import { NOBODY } from "../../src/api/whoAmI";
import { App } from "../../src/app/App";
import { loadEditorPage } from "../../src/app/pages";
import { NO_UPDATES, type Updates } from "../../src/service-worker/updates";
import { createTheme } from "../../src/ui/theme";
import { CatalogueServer } from "../documents/catalogueServer";

afterEach(() => {
  cleanup();
  localStorage.clear();
  delete document.documentElement.dataset.theme;
});

function open(address: string, updates: Updates = NO_UPDATES, server = new CatalogueServer()) {
  window.history.replaceState(null, "", address);
  render(<App api={server.api} who={NOBODY} theme={createTheme(window)} updates={updates} />);
}

test("the root lists the documents", async () => {
  open("/", NO_UPDATES, new CatalogueServer().with("Plan"));
  expect(await screen.findByRole("heading", { level: 1, name: "Documents" })).toBeTruthy();
  expect(await screen.findByRole("link", { name: "Plan" })).toBeTruthy();
});

test("the trash has an address of its own", async () => {
  open("/?trash", NO_UPDATES, new CatalogueServer().with("Plan", "Old").trash("Old"));
  expect(await screen.findByRole("heading", { level: 1, name: "Trash" })).toBeTruthy();
  expect(await screen.findByRole("link", { name: "Old" })).toBeTruthy();
  expect(screen.queryByRole("link", { name: "Plan" })).toBeNull();
});

test.each(["/nowhere", "/d/short", "/d/not%20an%20id%21", "/d/document-1/title/more"])(
  "%s leads nowhere",
  async (address) => {
    open(address);
    expect(await screen.findByText("There is nothing at this address")).toBeTruthy();
    expect(document.title).toBe("Not found · Manyhands");
  },
);

test("a page whose code is there is shown at once, without a fallback before it", async () => {
  await loadEditorPage();
  open("/d/document-1");
  expect(screen.getByRole("status").textContent).toBe("Opening the document");
});

test("a new version is offered and taken only when somebody says so", async () => {
  let reloads = 0;
  const updates: Updates = {
    onReady: (listener) => {
      listener(() => {
        reloads += 1;
      });
      return () => undefined;
    },
    look: () => undefined,
    renew: async () => undefined,
  };
  open("/nowhere", updates);
  const reload = await screen.findByRole("button", { name: "Reload" });
  expect(reloads).toBe(0);
  fireEvent.click(reload);
  expect(reloads).toBe(1);
});

test("the theme is chosen in the header", async () => {
  open("/");
  fireEvent.keyDown(await screen.findByRole("button", { name: "Theme and language" }), { key: "Enter" });
  fireEvent.click(await screen.findByRole("menuitemradio", { name: "Dark" }));
  expect(document.documentElement.dataset.theme).toBe("dark");
});

test("the language is chosen in the header, and the page is loaded anew in it", async () => {
  const reload = vi.spyOn(window.location, "reload").mockReturnValue();
  open("/");
  fireEvent.keyDown(await screen.findByRole("button", { name: "Theme and language" }), { key: "Enter" });
  expect(await screen.findByRole("menuitemradio", { name: "English", checked: true })).toBeTruthy();
  fireEvent.click(screen.getByRole("menuitemradio", { name: "Deutsch" }));
  expect(localStorage.getItem("manyhands:language")).toBe("de");
  expect(reload).toHaveBeenCalledOnce();
  reload.mockRestore();
});
