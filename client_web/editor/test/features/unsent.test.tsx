/** Words of a comment that are not sent yet: they outlive their field. */

import { act, cleanup, fireEvent, render, screen } from "@testing-library/react";
import type { Editor } from "@tiptap/core";
import { afterEach, expect, test, vi } from "vitest";
import { Composer } from "../../src/features/discussion/Composer";
import { type Body, wordsOf } from "../../src/features/discussion/threads";
import { unsentOf } from "../../src/features/discussion/unsent";

afterEach(cleanup);

const said = vi.fn<(body: Body) => void>();

function open(keptAs: string): () => void {
  const { unmount } = render(
    <Composer
      label="Reply"
      keptAs={keptAs}
      placeholder=""
      sendLabel="Send"
      findPeople={async () => []}
      onSend={said}
      onCancel={() => undefined}
    />,
  );
  return unmount;
}

const field = () => screen.getByRole<HTMLElement & { editor: Editor }>("textbox", { name: "Reply" });

function write(words: string): void {
  act(() => void field().editor.commands.insertContent(words));
}

test("words are there again when their card comes back, and in no other card", () => {
  const leave = open("one");
  write("half a thought");
  leave();
  const leaveOther = open("other");
  expect(field().textContent).toBe("");
  leaveOther();
  open("one");
  expect(field().textContent).toBe("half a thought");
});

test("Escape keeps them, for it is pressed easily", () => {
  const leave = open("escaped");
  write("half a thought");
  fireEvent.keyDown(field(), { key: "Escape" });
  leave();
  open("escaped");
  expect(field().textContent).toBe("half a thought");
});

test("what is sent or cancelled is begun anew", () => {
  let leave = open("sent");
  write("a thought");
  fireEvent.click(screen.getByRole("button", { name: "Send" }));
  expect(said.mock.calls.map(([body]) => wordsOf(body))).toEqual(["a thought"]);
  leave();
  leave = open("sent");
  expect(field().textContent).toBe("");
  write("another");
  fireEvent.click(screen.getByRole("button", { name: "Cancel" }));
  expect(unsentOf("sent")).toBeNull();
  leave();
});
