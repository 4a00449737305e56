/** The controls as a keyboard and a screen reader meet them. */
import { cleanup, fireEvent, render, screen } from "@testing-library/react";
import { Bold } from "lucide-react";
import { afterEach, expect, test } from "vitest";
import { Avatar, initials } from "../../src/ui/Avatar";
import { Button } from "../../src/ui/Button";
import { IconButton } from "../../src/ui/IconButton";
import { Menu, MenuChoice, MenuItem } from "../../src/ui/Menu";
import { Popover } from "../../src/ui/Popover";
import { TextField } from "../../src/ui/TextField";
import { ToastProvider, useToasts } from "../../src/ui/Toast";
import { TooltipProvider } from "../../src/ui/Tooltip";

afterEach(cleanup);

test("a busy button takes no presses and keeps the focus", () => {
  let presses = 0;
  render(
    <Button busy onClick={() => presses++}>
      Save
    </Button>,
  );
  const button = screen.getByRole("button", { name: "Save" });
  button.focus();
  fireEvent.click(button);
  expect(presses).toBe(0);
  expect(document.activeElement).toBe(button);
});

test("an icon button says its name, and whether it is pressed", () => {
  render(
    <TooltipProvider>
      <IconButton icon={Bold} label="Bold" pressed />
    </TooltipProvider>,
  );
  expect(screen.getByRole("button", { name: "Bold", pressed: true })).toBeTruthy();
});

test("an icon button opens a menu by key, and a choice is made in it", async () => {
  const chosen: string[] = [];
  render(
    <TooltipProvider>
      <Menu trigger={<IconButton icon={Bold} label="Weight" />}>
        <MenuItem onSelect={() => chosen.push("plain")}>Plain</MenuItem>
        <MenuChoice
          label="Weight"
          value="light"
          onChange={(value) => chosen.push(value)}
          options={[
            { value: "light", label: "Light" },
            { value: "heavy", label: "Heavy" },
          ]}
        />
      </Menu>
    </TooltipProvider>,
  );
  fireEvent.keyDown(screen.getByRole("button", { name: "Weight" }), { key: "Enter" });
  expect(screen.getByRole("menuitemradio", { name: "Light", checked: true })).toBeTruthy();
  fireEvent.click(screen.getByRole("menuitemradio", { name: "Heavy" }));
  expect(chosen).toEqual(["heavy"]);
});

test("a popover opens from its button and has a name", () => {
  render(
    <Popover label="Details" trigger={<Button>More</Button>}>
      <p>Everything is saved.</p>
    </Popover>,
  );
  fireEvent.click(screen.getByRole("button", { name: "More" }));
  expect(screen.getByRole("dialog", { name: "Details" }).textContent).toContain("Everything is saved.");
});

test("a field's error is tied to it", () => {
  render(<TextField label="Name" error="A name is needed." />);
  const field = screen.getByRole("textbox", { name: "Name" });
  const note = document.getElementById(field.getAttribute("aria-describedby") ?? "");
  expect(note?.textContent).toBe("A name is needed.");
  expect(field.getAttribute("aria-invalid")).toBe("true");
});

test.each([
  ["Ada Lovelace", "AL"],
  ["  grace brewster  hopper ", "GH"],
  ["plato", "P"],
  ["🦊 fox", "🦊F"],
  ["", "?"],
])("%s has the initials %s", (name, letters) => {
  expect(initials(name)).toBe(letters);
});

test("an avatar is read out as the person's name", () => {
  render(<Avatar name="Ada Lovelace" color="#1d4ed8" />);
  expect(screen.getByRole("img", { name: "Ada Lovelace" })).toBeTruthy();
});

function Announcer({ messages }: { readonly messages: readonly string[] }) {
  const toasts = useToasts();
  return (
    <button type="button" onClick={() => messages.map((message) => toasts.show({ message }))}>
      Announce
    </button>
  );
}

test("of many messages the newest three are shown, and each can be dismissed", () => {
  render(
    <ToastProvider>
      <Announcer messages={["one", "two", "three", "four"]} />
    </ToastProvider>,
  );
  fireEvent.click(screen.getByRole("button", { name: "Announce" }));
  const shown = () =>
    Array.from(document.querySelectorAll(".ui-toast-message"), (toast) => toast.textContent);
  expect(shown()).toEqual(["two", "three", "four"]);
  const [dismiss] = screen.getAllByRole("button", { name: "Dismiss" });
  if (dismiss) fireEvent.click(dismiss);
  expect(shown()).toEqual(["three", "four"]);
});
