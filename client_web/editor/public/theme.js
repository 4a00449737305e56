// Applies the stored theme before the first paint. A file of its own, since inline scripts are forbidden;
// src/app/theme.ts does the rest and knows the same key and attribute.
try {
  const choice = localStorage.getItem("manyhands:theme");
  if (choice === "light" || choice === "dark") document.documentElement.dataset.theme = choice;
} catch {
  // Storage is closed to this page: the system's theme it is.
}
