// Names the language of the interface, and fetches its words and a document's editor together with the application, which would
// ask for them only when it runs. src/i18n/language.ts chooses in the same way and knows the same key. The build writes the names
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

  const catalogue = byLanguage.get(language);
  const early = [
    ...(catalogue ? [catalogue] : []),
    ...(location.pathname.startsWith("/d/") ? files(editor) : []),
  ];
  for (const href of early) {
    const link = document.createElement("link");
    const isStyle = href.endsWith(".css");
    link.rel = isStyle ? "preload" : "modulepreload";
    if (isStyle) link.as = "style";
    link.crossOrigin = "";
    link.href = href;
    document.head.append(link);
  }
}
