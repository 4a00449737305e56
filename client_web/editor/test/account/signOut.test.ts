/** Whoever signs out leaves nothing on the device for the next person, unless the server still knows who they are. */
import { afterEach, expect, test } from "vitest";
import { signOut } from "../../src/account/signOut";
import { knownDocuments, rememberDocument } from "../../src/api/knownDocuments";
import { NetworkError } from "../../src/api/rest";

afterEach(() => localStorage.clear());

test("the list of opened documents is forgotten, whatever the browser can clear", async () => {
  rememberDocument("document-1", "Plan", null);
  await signOut({ endSession: async () => undefined });
  expect(knownDocuments()).toEqual([]);
});

test("without the server's answer everything stays as it is", async () => {
  rememberDocument("document-1", "Plan", null);
  const endSession = () => Promise.reject(new NetworkError("cut"));
  await expect(signOut({ endSession })).rejects.toThrow(NetworkError);
  expect(knownDocuments()).toHaveLength(1);
});
