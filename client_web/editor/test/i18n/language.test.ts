/** The language of the interface: which one it is, and how it says words, numbers of things, times and refusals. */
import { Editor } from "@tiptap/core";
import { afterEach, beforeEach, describe, expect, it, test, vi } from "vitest";
import { languageFor } from "../../src/i18n/language";

test.each([
  [null, ["de-AT", "en"], "de"],
  [null, ["fr", "DE", "en"], "de"],
  [null, ["en-US", "de"], "en"],
  [null, ["fr", "pl"], "en"],
  [null, [], "en"],
  ["en", ["de"], "en"],
  ["de", ["en"], "de"],
] as const)("chosen %s, and wanted %s, is %s", (chosen, wanted, language) => {
  expect(languageFor(chosen, wanted)).toBe(language);
});

describe("a browser that asks for German", () => {
  beforeEach(() => {
    vi.resetModules();
    vi.spyOn(navigator, "languages", "get").mockReturnValue(["de-AT", "de", "en"]);
  });
  afterEach(() => {
    localStorage.clear();
    vi.restoreAllMocks();
    vi.resetModules();
    document.documentElement.lang = "";
  });

  it("reads German words, and the page says so", async () => {
    const { t } = await import("../../src/i18n/t");
    expect(t("Light|theme")).toBe("Hell");
    expect(t("{count, plural, one {# document} other {# documents}}", { count: 1 })).toBe("1 Dokument");
    expect(t("{count, plural, one {# document} other {# documents}}", { count: 1200 })).toMatch(/^1.200 Dok/);
    expect(document.documentElement.lang).toBe("de");
  });

  it("reads times as its country writes them", async () => {
    const { fullTime, relativeTime } = await import("../../src/documents/times");
    const now = new Date(2026, 0, 20, 12);
    expect(relativeTime(new Date(2026, 0, 20, 9), now)).toBe("vor 3 Stunden");
    expect(fullTime(new Date(2026, 0, 4, 15, 5))).toBe("4. Jänner 2026 um 15:05");
  });

  it("reads a refusal by its code, and in the server's words where the code is unknown", async () => {
    const { ApiError, explain } = await import("../../src/api/rest");
    expect(explain(new ApiError("rate_limited", "Too much.", 429))).toContain("zu viel in zu kurzer Zeit");
    expect(explain(new ApiError("brand_new", "Too new.", 400))).toBe("Too new.");
    expect(explain(new ApiError("forbidden", "If they should: MANYHANDS_ALLOWED_ORIGINS.", 403))).toBe(
      "Das darfst du hier nicht. Wer den Server betreibt, kann das mit MANYHANDS_ALLOWED_ORIGINS ändern.",
    );
  });

  it("reads why a formula or an expression cannot be read", async () => {
    const { typeset } = await import("../../src/features/formulas/typeset");
    const problem = "Dieses LaTeX ist bei Zeichen 2 nicht lesbar. Hinter „^“ fehlt etwas.";
    expect(typeset("x^", false, "mathml")).toEqual({ problem });
    expect(typeset("\\verb x", false, "mathml")).toEqual({ problem: expect.not.stringMatching(/verb/) });
  });

  it("hears German words around what stands in the sheet, and finds inserts by words of both languages", async () => {
    const { content } = await import("../../src/extensions/schema");
    const { insertsFor } = await import("../../src/features/inserting/blockChoices");
    const callout = { type: "callout", attrs: { kind: "tip" }, content: [{ type: "paragraph" }] };
    const editor = new Editor({
      extensions: [...content],
      content: { type: "doc", content: [callout, { type: "pageBreak" }] },
    });
    expect(editor.getHTML()).toMatch(/aria-label="Tipp".*aria-label="Seitenumbruch"/);
    for (const words of ["aufgabe", "kästchen", "task"])
      expect(insertsFor(words, editor).map(({ id }) => id)).toEqual(["taskList"]);
    editor.destroy();
  });

  it("reads a title for documents that have none, whichever word the server has for it", async () => {
    const { isUntitled, shownTitle } = await import("../../src/documents/titles");
    expect(["", "Untitled document", " Plan "].map(shownTitle)).toEqual([
      "Unbenanntes Dokument",
      "Unbenanntes Dokument",
      "Plan",
    ]);
    expect(isUntitled("Unbenanntes Dokument")).toBe(true);
  });

  it("reads English once that was chosen", async () => {
    const { chooseLanguage } = await import("../../src/i18n/language");
    chooseLanguage("en");
    vi.resetModules();
    const { t } = await import("../../src/i18n/t");
    expect(t("Trash")).toBe("Trash");
    expect(document.documentElement.lang).toBe("en");
  });
});
