/** Starts the application in the page. */
import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import { createApi } from "./api/api";
import { withEarly } from "./api/early";
import { createWhoAmI } from "./api/whoAmI";
import { App } from "./app/App";
import { loadDocumentsPage, loadEditorPage } from "./app/pages";
import { registerServiceWorker } from "./service-worker/register";
import { NO_UPDATES } from "./service-worker/updates";
import { createTheme } from "./ui/theme";

const root = document.getElementById("root");
if (!root) throw new Error("index.html has no #root");

const api = createApi(withEarly((url, init) => fetch(url, init)));
const who = createWhoAmI(api);
// While the pages' code is on its way. Whoever needs the answer asks again.
who.ask().catch(() => undefined);
// A failure is shown by the application.
const page = (window.location.pathname.startsWith("/d/") ? loadEditorPage() : loadDocumentsPage()).catch(
  () => undefined,
);
/** After the page's code is there: its document, and the people in it, are still to come. */
const RESTS_AFTER_MS = 3_000;
const rested = page.then(() => new Promise<void>((rest) => setTimeout(rest, RESTS_AFTER_MS)));
const updates =
  import.meta.env.PROD && "serviceWorker" in navigator
    ? registerServiceWorker(navigator.serviceWorker, () => window.location.reload(), rested)
    : NO_UPDATES;

const show = () =>
  createRoot(root).render(
    <StrictMode>
      <App api={api} who={who} theme={createTheme(window)} updates={updates} />
    </StrictMode>,
  );
// What index.html shows stays until there is more to see.
void Promise.all([page, ...(window.manyhandsStyles ?? [])]).then(show);
