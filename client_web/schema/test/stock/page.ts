/** A page as another application would write it: stock Tiptap over the provider, with StarterKit or with this schema. */

import { ManyhandsProvider } from "@manyhands/provider";
import { extensions, FORMAT } from "@manyhands/schema";
import { Editor, getSchema } from "@tiptap/core";
import Collaboration from "@tiptap/extension-collaboration";
import StarterKit from "@tiptap/starter-kit";

const query = new URLSearchParams(location.search);
const knows = query.get("knows");
const own = knows === "all" ? [...extensions] : [StarterKit.configure({ undoRedo: false })];
const provider = new ManyhandsProvider({
  documentId: query.get("document") ?? "",
  ...(knows === "all" ? { format: FORMAT } : {}),
  ...(knows === "names" ? { schema: getSchema(own) } : {}),
});
const editor = new Editor({
  element: document.querySelector("#place") as HTMLElement,
  extensions: [...own, Collaboration.configure({ document: provider.doc })],
});
const show = () => {
  const { readOnly, closed, status, unsaved, loaded } = provider.snapshot();
  editor.setEditable(readOnly === null && closed === null, false);
  const state = { readOnly, closed, status, unsaved, loaded };
  document.documentElement.dataset.state = JSON.stringify(state);
};
provider.subscribe(show);
show();
Object.assign(window, { editor, provider });
