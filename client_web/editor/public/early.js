// Fetches the editor's code together with the application's: a document's page would ask for the
// editor only when the application runs. The build writes the names of the files into `data-editor`.
// A file of its own, since inline scripts are forbidden.
if (location.pathname.startsWith("/d/")) {
  for (const href of (document.currentScript.dataset.editor ?? "").split(" ").filter(Boolean)) {
    const link = document.createElement("link");
    const isStyle = href.endsWith(".css");
    link.rel = isStyle ? "preload" : "modulepreload";
    if (isStyle) link.as = "style";
    link.crossOrigin = "";
    link.href = href;
    document.head.append(link);
  }
}
