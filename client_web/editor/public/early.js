// Names the language of the interface, and fetches its words and a document's editor before the application runs, which would ask
// for them only then. src/i18n/language.ts chooses in the same way and knows the same key. The build writes the names
// of the files into `data-catalogues` and `data-editor`. A file of its own, since inline scripts are forbidden.
{
  const { catalogues = "", editor = "" } = document.currentScript.dataset;
  const files = (text) => text.split(" ").filter(Boolean);
  const byLanguage = new Map([["en", null], ...files(catalogues).map((each) => each.split("="))]);
  let chosen = null;
  try {
    chosen = localStorage.getItem("manyhands:language");
  } catch {
    // Storage is closed to this page: the browser's language it is.
  }
  const wanted = [chosen ?? "", ...navigator.languages].map((locale) =>
    locale.replace(/-.*/, "").toLowerCase(),
  );
  const language = wanted.find((each) => byLanguage.has(each)) ?? "en";
  document.documentElement.lang = language;

  const fetchEarly = (hrefs) => {
    for (const href of hrefs) {
      const link = document.createElement("link");
      const isStyle = href.endsWith(".css");
      link.rel = isStyle ? "preload" : "modulepreload";
      if (isStyle) link.as = "style";
      link.crossOrigin = "";
      link.fetchPriority = "low"; // than what the document says
      link.href = href;
      document.head.append(link);
    }
  };
  const catalogue = byLanguage.get(language);
  fetchEarly(catalogue ? [catalogue] : []);
  const editorFiles = location.pathname.startsWith("/d/") ? files(editor) : [];

  // Somebody's first visit waits for a lot of code. Meanwhile the server is asked who this is, and then for the document's words,
  // which are shown until the editor is there. src/api/early.ts and the page take over what has come. Whoever comes by a link with a
  // secret may read only when the page has shown the secret. The editor's files come behind the words: side by side, both would
  // take a slow line's width. On a slow line, what every page needs keeps the line busy until then.
  const [, documentId] = /^\/d\/([A-Za-z0-9_-]{8,64})(?:\/|$)/.exec(location.pathname) ?? [];
  if (documentId !== undefined && navigator.onLine && !navigator.serviceWorker?.controller) {
    const me = fetch("/api/me", { headers: { Accept: "application/json" }, priority: "high" });
    window.manyhandsEarly = { me, path: location.pathname };
    const words = me
      .then((answer) =>
        answer.ok && !location.hash.includes("link=")
          ? fetch(`/api/documents/${documentId}/content?as=html&blocks=60`, { priority: "high" })
          : null,
      )
      .then((answer) => (answer?.ok ? answer.text() : ""))
      .then((html) => {
        const { body } = new DOMParser().parseFromString(html, "text/html");
        // What would ask the server for more must not hold up the code.
        for (const each of body.querySelectorAll("img, script, style, link, meta, object, iframe"))
          each.remove();
        const shown = document.createElement("div");
        shown.className = "page-sheet-text early-words";
        shown.append(...body.children);
        if (!shown.textContent.trim()) return;
        window.manyhandsEarly.words = shown;
        document.querySelector(".early-sheet")?.replaceChildren(shown);
      })
      .catch(() => undefined);
    Promise.race([words, new Promise((late) => setTimeout(late, 1_500))]).then(() => fetchEarly(editorFiles));
  } else fetchEarly(editorFiles);
}
