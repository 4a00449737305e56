/** The grammars of the offered languages, loaded with the first code block that has one of them. */

import bash from "highlight.js/lib/languages/bash";
import c from "highlight.js/lib/languages/c";
import cpp from "highlight.js/lib/languages/cpp";
import csharp from "highlight.js/lib/languages/csharp";
import css from "highlight.js/lib/languages/css";
import diff from "highlight.js/lib/languages/diff";
import go from "highlight.js/lib/languages/go";
import ini from "highlight.js/lib/languages/ini";
import java from "highlight.js/lib/languages/java";
import javascript from "highlight.js/lib/languages/javascript";
import json from "highlight.js/lib/languages/json";
import kotlin from "highlight.js/lib/languages/kotlin";
import markdown from "highlight.js/lib/languages/markdown";
import php from "highlight.js/lib/languages/php";
import python from "highlight.js/lib/languages/python";
import ruby from "highlight.js/lib/languages/ruby";
import rust from "highlight.js/lib/languages/rust";
import sql from "highlight.js/lib/languages/sql";
import swift from "highlight.js/lib/languages/swift";
import typescript from "highlight.js/lib/languages/typescript";
import xml from "highlight.js/lib/languages/xml";
import yaml from "highlight.js/lib/languages/yaml";
import { createLowlight } from "lowlight";

const grammars = createLowlight({
  bash,
  c,
  cpp,
  csharp,
  css,
  diff,
  go,
  html: xml,
  ini,
  java,
  javascript,
  json,
  kotlin,
  markdown,
  php,
  python,
  ruby,
  rust,
  sql,
  swift,
  typescript,
  xml,
  yaml,
});

/** A stretch of code in one colour. */
export interface Stretch {
  readonly from: number;
  readonly to: number;
  /** What highlight.js calls it, such as `keyword`. */
  readonly scope: string;
}

/** Returns the coloured stretches of code in a language, in order; the innermost scope counts. */
export function stretchesOf(code: string, language: string): readonly Stretch[] {
  const stretches: Stretch[] = [];
  let at = 0;
  const walk = (nodes: ReturnType<typeof grammars.highlight>["children"], scope: string) => {
    for (const node of nodes) {
      if (node.type === "text") {
        if (scope !== "") stretches.push({ from: at, to: at + node.value.length, scope });
        at += node.value.length;
      } else if (node.type === "element") {
        const [own = ""] = node.properties.className as string[];
        walk(node.children, own.replace(/^hljs-/, "") || scope);
      }
    }
  };
  walk(grammars.highlight(language, code).children, "");
  return stretches;
}
