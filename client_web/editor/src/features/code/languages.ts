/** Languages of code blocks: the names that are offered, and what else means the same. */

/** The name in the document, and the one that people know. */
export const LANGUAGES: readonly (readonly [name: string, label: string])[] = [
  ["bash", "Bash"],
  ["c", "C"],
  ["cpp", "C++"],
  ["csharp", "C#"],
  ["css", "CSS"],
  ["diff", "Diff"],
  ["go", "Go"],
  ["html", "HTML"],
  ["ini", "INI, TOML"],
  ["java", "Java"],
  ["javascript", "JavaScript"],
  ["json", "JSON"],
  ["kotlin", "Kotlin"],
  ["markdown", "Markdown"],
  ["php", "PHP"],
  ["python", "Python"],
  ["ruby", "Ruby"],
  ["rust", "Rust"],
  ["sql", "SQL"],
  ["swift", "Swift"],
  ["typescript", "TypeScript"],
  ["xml", "XML"],
  ["yaml", "YAML"],
];

const SAME: Readonly<Record<string, string>> = {
  sh: "bash",
  shell: "bash",
  zsh: "bash",
  "c++": "cpp",
  cs: "csharp",
  "c#": "csharp",
  golang: "go",
  toml: "ini",
  js: "javascript",
  jsx: "javascript",
  kt: "kotlin",
  md: "markdown",
  py: "python",
  rb: "ruby",
  rs: "rust",
  ts: "typescript",
  tsx: "typescript",
  yml: "yaml",
};

/** The name among `LANGUAGES` that a document's name means; another name as it is; "" for none. */
export function languageOf(stored: unknown): string {
  if (typeof stored !== "string") return "";
  const name = stored.trim().toLowerCase();
  return SAME[name] ?? name;
}

export function isOffered(name: string): boolean {
  return LANGUAGES.some(([offered]) => offered === name);
}
