// Applies the stored theme before the first paint, and fetches the styles of the application, which the first paint does not wait
// for: the build writes their names into `data-styles`, and src/main.tsx waits for them. They come before those that parts of the
// application bring along. A file of its own, since inline scripts are forbidden; src/app/theme.ts does the rest and knows the same
// key and attribute.
try {
  const choice = localStorage.getItem("manyhands:theme");
  if (choice === "light" || choice === "dark") document.documentElement.dataset.theme = choice;
} catch {
  // Storage is closed to this page: the system's theme it is.
}
window.manyhandsStyles = (document.currentScript?.dataset.styles ?? "")
  .split(" ")
  .filter(Boolean)
  .map((href) => {
    const link = document.createElement("link");
    link.rel = "stylesheet";
    link.crossOrigin = "";
    link.href = href;
    const come = new Promise((end) => {
      link.onload = end;
      link.onerror = end; // the application works without styles as well
    });
    document.head.append(link);
    return come;
  });
