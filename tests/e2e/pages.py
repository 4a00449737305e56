"""The pages as people use them: what is on them is found by role and label, as a screen reader finds it."""

import asyncio
import re
from collections.abc import Awaitable, Callable
from typing import Literal

from playwright.async_api import Locator, Page, expect

from tests.harness.bell import PATIENCE

PATIENCE_MS = 1000 * PATIENCE

expect.set_options(timeout=PATIENCE_MS)

TWO_FRAMES = "new Promise((seen) => requestAnimationFrame(() => requestAnimationFrame(seen)))"

WITHOUT_CARETS = """(sheet) => {
    const copy = sheet.cloneNode(true);
    const drawn = ".page-caret, .page-upload, .ProseMirror-widget, .ProseMirror-separator, .column-resize-handle";
    for (const element of copy.querySelectorAll(drawn)) element.remove();
    for (const line of copy.querySelectorAll("br.ProseMirror-trailingBreak")) line.remove();
    for (const selected of copy.querySelectorAll(".page-caret-selection")) selected.replaceWith(...selected.childNodes);
    for (const section of copy.querySelectorAll(".page-section")) section.replaceWith(...section.childNodes);
    for (const element of copy.querySelectorAll("*")) {
        element.classList.remove("is-empty", "is-editor-empty", "selectedCell", "ProseMirror-selectednode");
        if (element.classList.length === 0) element.removeAttribute("class");
        element.removeAttribute("data-placeholder");
        element.removeAttribute("draggable");
        if (element.getAttribute("dir") === "auto") element.removeAttribute("dir");
    }
    copy.normalize();
    return copy.innerHTML;
}"""


KEPT = "Offline – kept on this device"

Role = Literal["Viewer", "Commenter", "Editor"]


class EditorPage:
    """A tab with one document in it."""

    def __init__(self, name: str, page: Page) -> None:
        self.name = name
        self.page = page
        self.sheet = page.locator("#document")
        self.title = page.get_by_role("textbox", name="Title of the document")
        self.toolbar = page.get_by_role("toolbar", name="Formatting", exact=True)

    async def is_ready(self) -> None:
        """Wait until the document can be written in."""
        await expect(self.page.get_by_role("textbox", name="Document", exact=True)).to_be_visible()

    async def types(self, *lines: str, delay: float = 0) -> None:
        """Type at the cursor, key by key; Enter between the lines. `delay` is in milliseconds."""
        for index, line in enumerate(lines):
            if index > 0:
                await self.press("Enter")
            await self.page.keyboard.type(line, delay=delay)

    async def writes(self, *lines: str) -> None:
        """Write lines at the cursor, each at once as an input method does: a story that begins with words need not type them."""
        for index, line in enumerate(lines):
            if index > 0:
                await self.press("Enter")
            await self.page.keyboard.insert_text(line)

    async def press(self, *keys: str) -> None:
        """Press keys as far apart as fingers do: Chromium tells a page of a moved cursor up to a frame later."""
        for key in keys:
            await self.page.keyboard.press(key)
            await self.page.evaluate(TWO_FRAMES)

    async def goes_to_start(self) -> None:
        await self.goes("Control+Home")

    async def goes_to_end(self) -> None:
        await self.goes("Control+End")

    async def goes(self, *keys: str) -> None:
        """Move the cursor with keys."""
        await self.sheet.focus()
        await self.page.evaluate(TWO_FRAMES)
        await self.press(*keys)

    async def goes_after(self, words: str) -> None:
        """Put the cursor at the end of the line that ends with these words."""
        await self.sheet.get_by_text(words).last.click()
        await self.press("End")

    async def selects(self, words: str) -> None:
        """Select words, as a double click or a drag over them would."""
        line = self.sheet.get_by_text(words).last
        await line.evaluate(
            """(element, words) => {
                const walker = document.createTreeWalker(element, NodeFilter.SHOW_TEXT);
                while (walker.nextNode()) {
                    const at = walker.currentNode.data.indexOf(words);
                    if (at >= 0) {
                        element.closest("[contenteditable]").focus();
                        getSelection().setBaseAndExtent(walker.currentNode, at, walker.currentNode, at + words.length);
                        return;
                    }
                }
                throw new Error(`"${words}" is not in one piece here`);
            }""",
            words,
        )
        await self.page.evaluate(TWO_FRAMES)

    async def uses(self, tool: str) -> None:
        """Press a button of the toolbar."""
        await self.toolbar.get_by_role("button", name=tool, exact=True).click()

    async def chooses_style(self, style: str) -> None:
        await self.toolbar.get_by_role("button", name=re.compile("^Paragraph style: ")).click()
        await self.page.get_by_role("menuitem", name=style).click()

    async def chooses_language(self, language: str) -> None:
        """Choose the language of the text."""
        await self.page.get_by_role("button", name="More about this document").click()
        await self.page.get_by_role("menuitem", name="Language of the text").click()
        await self.page.get_by_role("menuitemradio", name=language).click()

    async def downloads(self, form: str) -> tuple[str, str]:
        """Download the document in a form; return the file's name and its words."""
        await self.page.get_by_role("button", name="More about this document").click()
        await self.page.get_by_role("menuitem", name="Download").click()
        async with self.page.expect_download() as download:
            await self.page.get_by_role("menuitem", name=form).click()
        file = await download.value
        return file.suggested_filename, (await file.path()).read_text()

    def written_in(self, language: str) -> Locator:
        """The sheet, if the language of its text is `language`."""
        return self.page.locator(f"[lang={language}]").filter(has=self.sheet)

    async def changes_table(self, menu: str, item: str) -> None:
        """Choose from a menu beside the table that the cursor is in."""
        tools = self.page.get_by_role("toolbar", name="Table")
        await tools.get_by_role("button", name=menu, exact=True).click()
        switch = self.page.get_by_role("menuitemcheckbox", name=item, exact=True)
        await self.page.get_by_role("menuitem", name=item, exact=True).or_(switch).click()
        await expect(self.page.get_by_role("menu")).to_have_count(0)
        await expect(self.sheet).to_be_focused()

    def status(self, label: str) -> Locator:
        """The status button while it says `label`."""
        return self.page.get_by_role("button", name=f"{label}. Details", exact=True)

    async def shows(self, label: str) -> None:
        await expect(self.status(label)).to_be_visible()

    def caret_of(self, name: str) -> Locator:
        return self.sheet.locator(".page-caret", has=self.page.locator(f'[data-name="{name}"]'))

    async def sees(self, *words: str) -> None:
        for each in words:
            await expect(self.sheet).to_contain_text(each)

    async def html(self) -> str:
        """What the sheet shows, without what is drawn over it for this person alone."""
        html: str = await self.sheet.evaluate(WITHOUT_CARETS)
        return html

    async def text(self) -> str:
        """The lines of the sheet without the names on carets."""
        html: str = await self.sheet.evaluate(
            f"""(sheet) => {{
                const holder = document.createElement("div");
                holder.innerHTML = ({WITHOUT_CARETS})(sheet);
                return Array.from(holder.children, (block) => block.textContent).join("\\n");
            }}"""
        )
        return html

    async def pastes(self, kind: Literal["text/html", "text/plain"], data: str) -> None:
        """Paste at the cursor, with nothing in between that would clean the data."""
        await self.sheet.evaluate(
            """(sheet, [kind, data]) => {
                const clipboardData = new DataTransfer();
                clipboardData.setData(kind, data);
                sheet.dispatchEvent(new ClipboardEvent("paste", { clipboardData, bubbles: true, cancelable: true }));
            }""",
            [kind, data],
        )

    async def pastes_file(self, name: str, media_type: str, base64: str) -> None:
        await self.sheet.evaluate(
            """(sheet, [name, type, base64]) => {
                const bytes = Uint8Array.from(atob(base64), (character) => character.charCodeAt(0));
                const clipboardData = new DataTransfer();
                clipboardData.items.add(new File([bytes], name, { type }));
                sheet.dispatchEvent(new ClipboardEvent("paste", { clipboardData, bubbles: true, cancelable: true }));
            }""",
            [name, media_type, base64],
        )

    async def copies(self) -> dict[str, str]:
        """Select everything and copy it; what is on the clipboard then, by media type."""
        await self.goes("Control+a")
        copied: dict[str, str] = await self.sheet.evaluate(
            """(sheet) => {
                const clipboardData = new DataTransfer();
                sheet.dispatchEvent(new ClipboardEvent("copy", { clipboardData, bubbles: true, cancelable: true }));
                return Object.fromEntries(Array.from(clipboardData.types, (type) => [type, clipboardData.getData(type)]));
            }"""
        )
        return copied

    async def drops_file(self, words: str, name: str, media_type: str, base64: str) -> None:
        """Let go of a file over the line with these words."""
        await self.sheet.get_by_text(words).evaluate(
            """(line, [name, type, base64]) => {
                const bytes = Uint8Array.from(atob(base64), (character) => character.charCodeAt(0));
                const dataTransfer = new DataTransfer();
                dataTransfer.items.add(new File([bytes], name, { type }));
                const { left, top } = line.getBoundingClientRect();
                const place = { clientX: left + 4, clientY: top + 4, bubbles: true, cancelable: true };
                line.dispatchEvent(new DragEvent("drop", { dataTransfer, ...place }));
            }""",
            [name, media_type, base64],
        )

    async def shares(self) -> "ShareDialog":
        """Open the dialog and wait until it says who has access."""
        await self.page.get_by_role("button", name="Share", exact=True).click()
        dialog = ShareDialog(self.page)
        await expect(dialog.people.first).to_be_visible()
        return dialog

    @property
    def document_id(self) -> str:
        """The document's id, behind which its title stands in the address."""
        return re.split("[/#]", self.page.url.partition("/d/")[2])[0]

    async def may(self, mode: Literal["edit", "View only", "suggest"]) -> None:
        """Wait until the page lets its person do this much and says so."""
        chip = self.page.get_by_role("note", name=re.compile("^View only"))
        if mode in ("edit", "suggest"):
            await self.is_ready()
            await expect(self.toolbar).to_be_visible()
            await expect(chip).to_have_count(0)
            await expect(self.mode(only="Suggesting" if mode == "suggest" else "Editing")).to_be_visible()
        else:
            await expect(chip).to_have_text(mode)
            await expect(self.page.get_by_role("textbox", name="Document, read-only")).to_be_visible()
            await expect(self.toolbar).to_have_count(0)

    def mode(self, only: str = "") -> Locator:
        """The button that says how this person works in the document."""
        return self.page.get_by_role("button", name=re.compile(f"^Mode: {only}"))

    async def chooses_mode(self, mode: Literal["Editing", "Suggesting", "Viewing"]) -> None:
        await self.mode().click()
        await self.page.get_by_role("menuitemradio", name=mode).click()
        await expect(self.mode(only=mode)).to_be_visible()

    async def is_shut_out(self) -> None:
        """Wait until the page says that its person has no access any more."""
        await expect(self.page.get_by_role("heading", name="You no longer have access")).to_be_visible()
        await expect(self.sheet).to_have_count(0)

    async def reloads(self) -> None:
        await self.page.reload()
        await self.is_ready()

    async def can_be_reopened_offline(self) -> None:
        """Wait until the service worker holds the application."""
        await self.page.wait_for_function("() => navigator.serviceWorker.controller || window.installsWorker")
        await self.page.evaluate("window.installsWorker?.()")
        await self.page.evaluate("navigator.serviceWorker.ready.then(() => true)")
        await self.page.wait_for_function("() => navigator.serviceWorker.controller !== null")


class ShareDialog:
    """The dialog behind "Share", open over a document."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.dialog = page.get_by_role("dialog", name=re.compile("^Share "))
        self.people = self.dialog.get_by_role("list", name="People with access").get_by_role("listitem")

    def role_of(self, name: str) -> Locator:
        """The button that says and changes somebody's role."""
        return self.dialog.get_by_role("button", name=re.compile(f"^{re.escape(name)}: "))

    async def shows_guests(self) -> None:
        """Show each of the guests, who are a number at first."""
        await self.dialog.get_by_role("button", name="Show the guests").click()

    async def gives(self, name: str, role: Role) -> None:
        await self.role_of(name).click()
        await self.page.get_by_role("menuitemradio", name=role).click()
        await expect(self.role_of(name)).to_have_accessible_name(f"{name}: {role}")

    async def opens_link_for(self, role: Role) -> None:
        """Let whoever has the link in, in this role."""
        await self.gives("Whoever has the link", role)

    async def restricts(self) -> None:
        """Let nobody in by the link any more."""
        await self.dialog.get_by_role("button", name="Link: Anyone with the link").click()
        await self.page.get_by_role("menuitemradio", name="Restricted").click()
        await expect(self.dialog.get_by_role("button", name="Link: Restricted")).to_be_visible()

    async def makes_new_link(self) -> str:
        """Make the earlier links worthless; the new one."""
        await self.dialog.get_by_role("button", name="Make a new link…").click()
        await self._confirms("Make a new link")
        await expect(self.dialog.get_by_text("The address of this page is the link")).to_have_count(0)
        return await self.copies_link()

    async def copies_link(self) -> str:
        """Needs the permission to read the clipboard."""
        await self.dialog.get_by_role("button", name="Copy link").click()
        await expect(self.page.get_by_text("The link is on the clipboard.").first).to_be_visible()
        link: str = await self.page.evaluate("navigator.clipboard.readText()")
        return link

    async def removes(self, name: str) -> None:
        await self.role_of(name).click()
        await self.page.get_by_role("menuitem", name="Remove access…").click()
        await self._confirms("Remove access")
        await expect(self.role_of(name)).to_have_count(0)

    async def hands_over_to(self, name: str) -> None:
        await self.role_of(name).click()
        await self.page.get_by_role("menuitem", name="Make the owner…").click()
        await self._confirms("Make the owner")

    async def leaves(self) -> None:
        await self.dialog.get_by_role("button", name="Leave…").click()
        await self._confirms("Leave")

    async def closes(self) -> None:
        await self.dialog.get_by_role("button", name="Done").click()
        await expect(self.dialog).to_have_count(0)

    async def _confirms(self, answer: str) -> None:
        question = self.page.get_by_role("dialog").last
        await question.get_by_role("button", name=answer, exact=True).click()


class DocumentsPage:
    """A tab with the list of documents, or of those in the trash."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.search = page.get_by_role("searchbox", name="Search by title")
        self.rows = page.get_by_role("main").get_by_role("listitem").get_by_role("link")

    def document(self, title: str) -> Locator:
        """The row's link; the title is the whole of it."""
        return self.page.get_by_role("main").get_by_role("link", name=title, exact=True)

    async def makes_document(self) -> EditorPage:
        await self.page.get_by_role("button", name="New document").click()
        editor = EditorPage("", self.page)
        await editor.is_ready()
        return editor

    async def does(self, command: str, title: str) -> None:
        """Choose a command from a document's menu."""
        await self.page.get_by_role("button", name=f"More about {title}", exact=True).click()
        await self.page.get_by_role("menuitem", name=command).click()

    async def renames(self, title: str, new_title: str) -> None:
        await self.does("Rename", title)
        field = self.page.get_by_role("textbox", name="Title of the document")
        await field.fill(new_title)
        await field.press("Enter")

    async def goes_to(self, view: Literal["Documents", "Starred", "Trash"]) -> None:
        await self.page.get_by_role("navigation", name="Lists").get_by_role("link", name=view).click()
        await expect(self.page.get_by_role("heading", name=view, level=1)).to_be_visible()

    async def shows_only(self, whose: Literal["Owned by anyone", "Owned by me", "Shared with me"]) -> None:
        await self.page.get_by_role("button", name=re.compile("^Filter: ")).click()
        await self.page.get_by_role("menuitemradio", name=whose).click()
        await expect(self.page.get_by_role("button", name=f"Filter: {whose}")).to_be_visible()

    async def is_told(self, words: str) -> None:
        """Wait for a message at the foot of the page."""
        await expect(self.page.get_by_role("listitem").filter(has_text=words)).to_be_visible()


async def agree(*editors: EditorPage) -> str:
    """Wait until every sheet shows the same; returns it."""
    seen: list[str] = []

    async def look() -> bool:
        seen[:] = await asyncio.gather(*(editor.html() for editor in editors))
        return len(set(seen)) == 1

    try:
        await until(look)
    except TimeoutError:
        differing = "\n".join(f"{editor.name}: {html}" for editor, html in zip(editors, seen, strict=True))
        raise AssertionError(f"The sheets differ:\n{differing}") from None
    return seen[0]


async def until(condition: Callable[[], Awaitable[bool]]) -> None:
    """Ask until the answer is yes; raises TimeoutError."""
    async with asyncio.timeout(PATIENCE):
        while not await condition():  # noqa: ASYNC110 - what two browsers show has no event to wait for
            await asyncio.sleep(0.05)
