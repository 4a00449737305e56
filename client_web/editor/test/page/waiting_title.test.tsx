/** Stories of a title that is given without a connection. */
import { cleanup, fireEvent, screen, waitFor } from "@testing-library/react";
import { afterEach, beforeEach, expect, test } from "vitest";
import { anyDocument, openDocument } from "./openDocument";

beforeEach(() => localStorage.clear());
afterEach(cleanup);

const title = () => screen.getByLabelText<HTMLInputElement>("Title of the document");

test("it is kept on this device, says so, and is sent when the server is back", async () => {
  let isAway = true;
  const { requests, provider } = openDocument({
    state: { status: "offline" },
    answer: () => {
      if (isAway) throw new TypeError("Failed to fetch");
      return anyDocument();
    },
  });
  title().focus();
  fireEvent.change(title(), { target: { value: "On the train" } });
  fireEvent.keyDown(title(), { key: "Enter" });
  await screen.findByText("Title kept on this device");
  expect(title().value).toBe("On the train");
  isAway = false;
  provider().tells({ status: "synced" });
  await waitFor(() => expect(screen.queryByText("Title kept on this device")).toBeNull());
  const sent = requests.filter(({ method }) => method === "PATCH").map(({ body }) => body);
  expect(sent).toEqual([{ title: "On the train" }, { title: "On the train" }]);
});
