/** Lists as other programs put them on the clipboard, made into lists as the schema reads them.
 *
 * Word writes each item as a paragraph with its mark in front (`mso-list: l0 level2 lfo1`), Word
 * for the web each item as a list of its own, Google Docs and LibreOffice a nested list beside the
 * item that it belongs to, and each has other boxes to tick.
 */

interface Item {
  readonly level: number;
  /**
   * As it was written in front of the item; null where the program says what it is in another way.
   */
  readonly mark: string | null;
  readonly isOrdered: boolean;
  readonly content: readonly Node[];
}

/** The deepest level that programs have; what is deeper was made by hand. */
const MOST_LEVELS = 9;
const DONE = /^[☑☒✓✔✅🗹]/u;
const TO_DO = /^[☐□▢⬜❏]/u;
const NUMBER = /^\(?((?:\d+\.)*\d+|[ivxlcdm]+|[a-z])[.)]?$/i;

/** Changes the lists in `body` in place. */
export function readLists(body: HTMLElement): void {
  // Numbered headings stay headings, with their numbers in the words.
  gather(body, "p[style*='mso-list']", wordItem);
  gather(body, ".ListContainerWrapper", webItem);
  for (const list of body.querySelectorAll("ul > ul, ul > ol, ol > ul, ol > ol")) intoItemBefore(list);
  for (const list of body.querySelectorAll("ul, ol")) readTasks(list);
}

/** Makes one list of elements that follow each other and are items, and so with each such group. */
function gather(body: HTMLElement, selector: string, read: (element: Element) => Item | null): void {
  const seen = new Set<Element>();
  for (const first of body.querySelectorAll(selector)) {
    if (seen.has(first)) continue;
    const group: Item[] = [];
    const spent: Element[] = [];
    for (let at: Element | null = first; at?.matches(selector); at = at.nextElementSibling) {
      seen.add(at);
      const item = read(at);
      if (!item) break;
      group.push(item);
      spent.push(at);
    }
    if (group.length === 0) continue;
    first.before(...nested(group, body.ownerDocument));
    for (const element of spent) element.remove();
  }
}

function wordItem(paragraph: Element): Item | null {
  const level = /mso-list:[^;]*\blevel(\d)/i.exec(paragraph.getAttribute("style") ?? "")?.[1];
  if (level === undefined) return null;
  const ignored = paragraph.querySelector("[style*='mso-list:Ignore' i], [style*='mso-list: Ignore' i]");
  const mark = ignored?.textContent?.trim() ?? "";
  ignored?.remove();
  return {
    level: Number(level),
    mark,
    isOrdered: NUMBER.test(mark) && mark !== "o",
    content: [...paragraph.childNodes],
  };
}

function webItem(wrapper: Element): Item | null {
  const item = wrapper.querySelector("li");
  if (!item) return null;
  const level = Number(item.getAttribute("data-aria-level") ?? item.getAttribute("aria-level") ?? 1);
  return {
    level,
    mark: null,
    isOrdered: item.parentElement?.tagName === "OL",
    content: [...item.childNodes],
  };
}

/**
 * Lists within each other by their items' levels; a level that is left out makes no list of its
 * own.
 */
function nested(items: readonly Item[], document: Document): readonly Element[] {
  const top: Element[] = [];
  let open: { readonly level: number; readonly list: Element }[] = [];
  for (const { level: given, mark, isOrdered, content } of items) {
    const level = Math.min(Math.max(given || 1, 1), MOST_LEVELS);
    open = open.filter((outer) => outer.level <= level);
    const tag = isOrdered ? "OL" : "UL";
    let current = open.at(-1);
    if (current?.level === level && current.list.tagName !== tag) current = void open.pop();
    if (current?.level !== level) {
      const list = document.createElement(tag);
      const start = Number(/^\(?(\d+)[.)]/.exec(mark ?? "")?.[1] ?? 1);
      if (isOrdered && start !== 1) list.setAttribute("start", String(start));
      const around = open.at(-1)?.list.lastElementChild;
      if (around) around.append(list);
      else top.push(list);
      open = [...open, { level, list }];
    }
    const item = document.createElement("li");
    if (mark !== null && (DONE.test(mark) || TO_DO.test(mark)))
      item.dataset.checked = String(DONE.test(mark));
    item.append(...content);
    open.at(-1)?.list.append(item);
  }
  return top;
}

function intoItemBefore(list: Element): void {
  const before = list.previousElementSibling;
  if (before?.tagName === "LI") before.append(list);
  else {
    const item = list.ownerDocument.createElement("li");
    list.before(item);
    item.append(list);
  }
}

/**
 * A list of which every item can be ticked is a task list; in others the box is written in front of
 * the words.
 */
function readTasks(list: Element): void {
  const items = [...list.children].filter((child) => child.tagName === "LI") as HTMLElement[];
  const ticks = items.map(tickOf);
  const isTaskList = ticks.length > 0 && ticks.every((tick) => tick !== null);
  for (const [at, item] of items.entries()) {
    const tick = ticks[at] ?? null;
    if (tick === null) continue;
    for (const box of ownBoxes(item)) box.remove();
    if (isTaskList) {
      item.dataset.type = "taskItem";
      item.dataset.checked = String(tick);
    } else item.prepend(tick ? "☑ " : "☐ ");
  }
  if (!isTaskList) return;
  const tasks = list.ownerDocument.createElement("ul");
  tasks.dataset.type = "taskList";
  tasks.append(...list.childNodes);
  list.replaceWith(tasks);
}

/** An item's tick; null when the item has nothing to tick. */
function tickOf(item: HTMLElement): boolean | null {
  if (item.dataset.checked !== undefined) return item.dataset.checked !== "false";
  if (item.getAttribute("role") === "checkbox") return item.getAttribute("aria-checked") === "true";
  const box = ownBoxes(item)[0];
  return box?.tagName === "INPUT" ? box.hasAttribute("checked") : null;
}

/** The boxes of this item, and not of the items within it; Google Docs draws them as pictures. */
function ownBoxes(item: HTMLElement): readonly Element[] {
  const boxes = item.querySelectorAll("input[type='checkbox' i], :scope[role='checkbox'] img");
  return [...boxes].filter((box) => box.closest("li") === item);
}
