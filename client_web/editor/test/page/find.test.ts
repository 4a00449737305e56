/** Find and replace in a document. */

import { afterEach, describe, expect, test } from "vitest";
import { Finder, NO_QUERY } from "../../src/features/find/finder";
import { textOf as textOfBlock } from "../../src/features/find/hits";
import { type Hit, hitsIn, type Matcher, matcherFor, type Query } from "../../src/features/find/matching";
import { NoScan, type Scanner } from "../../src/features/find/scanning";
import { type Person, person, sharedText, sync, textOf } from "./editors";

const query = (text: string, how: Partial<Query> = {}): Query => ({ ...NO_QUERY, text, ...how });

function found(text: string, asked: Query): readonly string[] {
  const matcher = matcherFor(asked);
  return matcher ? hitsIn(text, matcher).map(({ from, to }) => text.slice(from, to)) : [];
}

describe("matching", () => {
  test.each<[string, string, Partial<Query>, readonly string[]]>([
    ["Tea and tea", "tea", {}, ["Tea", "tea"]],
    ["Tea and tea", "tea", { isCaseKept: true }, ["tea"]],
    ["tea, team, steam; tea", "tea", { isWord: true }, ["tea", "tea"]],
    ["Üben übt", "üb", { isWord: true }, []],
    ["a.b a+b", "a.b", {}, ["a.b"]],
    ["(x) [y] {z} | ^ $ \\ /", "(x) [y] {z} | ^ $ \\ /", {}, ["(x) [y] {z} | ^ $ \\ /"]],
    ["10\u00a0000", "10 000", {}, ["10\u00a0000"]],
    ["aaaa", "aa", {}, ["aa", "aa"]],
    ["café Cafe", "cafe", {}, ["Cafe"]],
    ["café Cafe", "cafe", { isFolded: true }, ["café", "Cafe"]],
    ["cafe\u0301s", "CAFÉ", { isFolded: true }, ["cafe\u0301"]],
    ["Straße STRASSE", "strasse", { isFolded: true }, ["Straße", "STRASSE"]],
    ["Straße", "s", { isFolded: true }, ["S"]],
    ["“don’t”", '"don\'t"', { isFolded: true }, ["“don’t”"]],
    ["👩‍👩‍👧 and 👩", "👩‍👩‍👧", {}, ["👩‍👩‍👧"]],
    ["a1 b22 c", "[a-z]\\d+", { isExpression: true }, ["a1", "b22"]],
    ["one\ntwo", "^t.*$", { isExpression: true }, ["two"]],
    ["été", "^E(t)e$", { isExpression: true, isFolded: true }, ["été"]],
    ["aXbX", "x*", { isExpression: true }, ["X", "X"]],
    ["a\ufffcb", "a.b|b", { isExpression: true }, []],
    ["anything", "", {}, []],
  ])("in “%s” “%s” with %j finds %j", (text, words, how, expected) => {
    expect(found(text, query(words, how))).toEqual(expected);
  });

  test("an expression that cannot be read says why", () => {
    expect(() => matcherFor(query("(", { isExpression: true }))).toThrow(SyntaxError);
    expect(() => matcherFor(query("x)(?:y", { isExpression: true, isWord: true }))).toThrow(SyntaxError);
  });

  test("a replacement takes parts of what it replaces, with their accents", () => {
    const matcher = matcherFor(
      query("(?<day>\\d+)\\. (marz)", { isExpression: true, isFolded: true }),
    ) as Matcher;
    const [hit] = hitsIn("am 3. März", matcher, "$2 $<day> [$&] $$1 $9");
    expect(hit).toEqual({ from: 3, to: 10, replacement: "März 3 [3. März] $1 " });
  });
});

/** The scans of a page, without a worker; `wait` keeps them back. */
class HereScanner implements Scanner {
  scanned: string[] = [];
  isHeld = false;
  fails: NoScan | null = null;
  #held: (() => void)[] = [];

  readonly scan = async (texts: readonly string[], matcher: Matcher, template?: string) => {
    if (this.isHeld) await new Promise<void>((go) => this.#held.push(go));
    if (this.fails) throw this.fails;
    this.scanned.push(...texts);
    return texts.map((text): readonly Hit[] => hitsIn(text, matcher, template));
  };
  stop() {}
  go() {
    this.isHeld = false;
    for (const each of this.#held.splice(0)) each();
  }
}

const open: { readonly finder: Finder; readonly alice: Person }[] = [];
afterEach(() => {
  for (const { finder, alice } of open.splice(0)) {
    finder.destroy();
    alice.editor.destroy();
  }
  document.body.replaceChildren();
});

function searching(html: string, at = 1) {
  const alice = person(1);
  alice.editor.commands.setContent(html);
  alice.editor.commands.setTextSelection(at);
  const scanner = new HereScanner();
  const finder = new Finder(alice.editor, scanner);
  open.push({ finder, alice });
  return { alice, finder, scanner };
}

/** Two people, and a search that pauses after each transaction until the test goes on. */
function withBreaks(html: string) {
  const { alice } = searching(html);
  const bob = person(2);
  sync(alice, bob);
  let end: (() => void) | undefined;
  const pauses = () => () =>
    new Promise<void>((resolve) => {
      end = resolve;
    });
  const finder = new Finder(alice.editor, new HereScanner(), pauses);
  open.push({ finder, alice });
  const goOn = async () => {
    await Promise.resolve();
    end?.();
    await aFrame();
  };
  return { alice, bob, finder, goOn };
}

const aFrame = () => new Promise<void>((seen) => requestAnimationFrame(() => setTimeout(seen, 0)));
const hits = (alice: Person, finder: Finder) =>
  finder.snapshot().spans.map(({ from, to }) => alice.editor.state.doc.textBetween(from, to));
const counted = (finder: Finder) => [finder.snapshot().current + 1, finder.snapshot().spans.length];

const EVERYWHERE = `
  <p>tea and <strong>t</strong><em>ea</em></p>
  <ul><li><p>tea</p><ul><li><p>tea</p></li></ul></li></ul>
  <table><tr><th><p>Tea</p></th><td><p>x</p></td></tr></table>
  <pre><code>tea()\ntea</code></pre><h2>coffee</h2>`;

describe("finding", () => {
  test("reaches across formats, and into lists, tables and code", () => {
    const { alice, finder } = searching(EVERYWHERE);
    finder.ask(query("tea"));
    expect(hits(alice, finder)).toEqual(["tea", "tea", "tea", "tea", "Tea", "tea", "tea"]);
  });

  test("goes round and round, from where the cursor is", () => {
    const { finder } = searching("<p>tea</p><p>tea</p><p>tea</p>", 6);
    finder.ask(query("tea"));
    expect(counted(finder)).toEqual([2, 3]);
    finder.go(1);
    finder.go(1);
    expect(counted(finder)).toEqual([1, 3]);
    finder.go(-1);
    expect(counted(finder)).toEqual([3, 3]);
    finder.ask(query("coffee"));
    finder.go(1);
    expect(counted(finder)).toEqual([0, 0]);
  });

  test("narrows down from one place while one types", () => {
    const { finder } = searching("<p>team</p><p>tea</p><p>tear</p>", 7);
    for (const words of ["t", "te", "tea", "tear"]) finder.ask(query(words));
    expect(finder.present?.from).toBe(12);
    finder.ask(query("tea"));
    expect(counted(finder)).toEqual([3, 3]);
  });

  test("follows what others write, and searches only what has changed", async () => {
    const { alice, finder, scanner } = searching("<p>tea one</p><p>tea two</p><p>tea three</p>", 10);
    finder.ask(query("t\\w+", { isExpression: true }));
    await aFrame();
    expect(counted(finder)).toEqual([2, 5]);
    expect(scanner.scanned).toHaveLength(3);
    const bob = person(2);
    sync(alice, bob);
    bob.editor.commands.insertContentAt(1, "the ");
    sync(alice, bob);
    await aFrame();
    await aFrame();
    expect(scanner.scanned.slice(3)).toEqual(["the tea one"]);
    expect(counted(finder)).toEqual([3, 6]);
    bob.editor.commands.deleteRange({ from: 14, to: 17 });
    sync(alice, bob);
    await aFrame();
    await aFrame();
    expect(counted(finder)).toEqual([0, 5]);
    finder.go(1);
    expect(hits(alice, finder)[finder.snapshot().current]).toBe("two");
    bob.editor.destroy();
  });

  test("says that an expression takes too long or cannot be read, and goes on with another", async () => {
    const { finder, scanner } = searching("<p>tea</p>");
    scanner.fails = new NoScan("too long");
    finder.ask(query("(a+)+b", { isExpression: true }));
    expect(finder.snapshot().isSearching).toBe(true);
    await aFrame();
    expect(finder.snapshot().problem).toBe("This expression takes too long. Try a simpler one.");
    finder.ask(query("[", { isExpression: true }));
    expect(finder.snapshot().problem).toMatch(/^This expression cannot be read: \w/);
    scanner.fails = null;
    finder.ask(query("t.a", { isExpression: true }));
    await aFrame();
    expect([counted(finder), finder.snapshot().problem]).toEqual([[1, 1], null]);
  });

  test("forgets the answer to what is asked no more", async () => {
    const { finder, scanner } = searching("<p>tea</p>");
    scanner.isHeld = true;
    finder.ask(query("t.a", { isExpression: true }));
    finder.ask(query("x"));
    scanner.go();
    await aFrame();
    expect(counted(finder)).toEqual([0, 0]);
  });
});

describe("replacing", () => {
  test("one after the other, with the format of the first letter", async () => {
    const { alice, finder } = searching("<p>tea and <strong>tea</strong></p>");
    finder.ask(query("tea"));
    await finder.replace("coffee");
    expect(textOf(alice)).toBe("coffee and tea");
    expect(counted(finder)).toEqual([1, 1]);
    await finder.replace("cake");
    expect(alice.editor.getHTML()).toBe("<p>coffee and <strong>cake</strong></p>");
    alice.editor.commands.undo();
    expect(textOf(alice)).toBe("coffee and tea");
  });

  test("all at once, as one step of undo", async () => {
    const { alice, finder } = searching(EVERYWHERE);
    const before = alice.editor.getHTML();
    alice.editor.commands.insertContentAt(alice.editor.state.doc.content.size - 1, "!");
    finder.ask(query("tea"));
    await finder.replaceAll("tea or coffee");
    expect(finder.snapshot().replaced).toBe(7);
    expect(textOf(alice)).not.toMatch(/tea(?! or coffee)/i);
    alice.editor.commands.insertContentAt(alice.editor.state.doc.content.size - 1, "!");
    alice.editor.commands.undo();
    alice.editor.commands.undo();
    alice.editor.commands.undo();
    expect(alice.editor.getHTML()).toBe(before);
    alice.editor.commands.redo();
    alice.editor.commands.redo();
    expect(textOf(alice)).toContain("tea or coffee and tea or coffee");
  });

  test("leaves what others have written between two hits of a line", async () => {
    const { alice, finder } = searching("<p>tea milk tea</p>");
    const bob = person(2);
    sync(alice, bob);
    finder.ask(query("tea"));
    await finder.replaceAll("coffee");
    bob.editor.commands.insertContentAt(5, "warm ");
    sync(alice, bob);
    expect(textOf(alice)).toBe("coffee warm milk coffee");
    expect(sharedText(alice)).toBe(sharedText(bob));
    bob.editor.destroy();
  });

  test("very often in one line, and in many lines", async () => {
    const line = "tea ".repeat(50).trim();
    const { alice, finder } = searching(`<p>${line}</p>`.repeat(10));
    finder.ask(query("tea"));
    await finder.replaceAll("tea, coffee");
    expect(finder.snapshot().replaced).toBe(500);
    const replaced = "tea, coffee ".repeat(50).trim();
    expect(textOf(alice).split("|")).toEqual(Array(10).fill(replaced));
    alice.editor.commands.undo();
    expect(textOf(alice).split("|")).toEqual(Array(10).fill(line));
  });

  test("with pauses, in which others write, and which end when a key is pressed", async () => {
    const { alice, bob, finder, goOn } = withBreaks(`<p>${"tea ".repeat(30).trim()}</p>`.repeat(10));
    finder.ask(query("tea"));
    const replacing = finder.replaceAll("coffee");
    await aFrame();
    for (let writes = 0; writes < 5; writes += 1) {
      bob.editor.commands.insertContentAt(1, "more tea, ");
      sync(alice, bob);
      await goOn();
    }
    alice.editor.view.dom.dispatchEvent(new KeyboardEvent("keydown", { key: "!" }));
    alice.editor.commands.insertContentAt(1, "!");
    await goOn();
    await replacing;
    sync(alice, bob);
    expect(finder.snapshot().replaced).toBe(300);
    const others = "more tea, ".repeat(5);
    const lines = (word: string) => Array(10).fill(`${word} `.repeat(30).trim()).join("|");
    expect(textOf(alice)).toBe(`!${others}${lines("coffee")}`);
    expect(sharedText(alice)).toBe(sharedText(bob));
    alice.editor.commands.undo();
    expect(textOf(alice)).toBe(`${others}${lines("coffee")}`);
    alice.editor.commands.undo();
    expect(textOf(alice)).toBe(`${others}${lines("tea")}`);
    bob.editor.destroy();
  });

  test("by nothing, and by parts of the hit", async () => {
    const { alice, finder } = searching("<p>3. May, 4. June</p>");
    finder.ask(query(","));
    await finder.replaceAll("");
    expect(textOf(alice)).toBe("3. May 4. June");
    finder.ask(query("(\\d)\\. (\\w+)", { isExpression: true }));
    await aFrame();
    await finder.replaceAll("$2 $1");
    expect(textOf(alice)).toBe("May 3 June 4");
  });

  test("does nothing where nothing may be written", async () => {
    const { alice, finder } = searching("<p>tea</p>");
    alice.editor.setEditable(false);
    finder.ask(query("tea"));
    await finder.replaceAll("coffee");
    await finder.replace("coffee");
    expect(textOf(alice)).toBe("tea");
  });
});

test("each place in a block's text is a place in the block", () => {
  const { alice } = searching('<p>a<br>b<span data-type="mention" data-id="u"></span>c</p>');
  const block = alice.editor.state.doc.firstChild;
  expect(block && textOfBlock(block)).toBe("a\nb\ufffcc");
  expect(block?.content.size).toBe(5);
});
