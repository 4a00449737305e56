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
import "./ui/tokens.css";
import "./ui/base.css";
import "./app/early.css";

const root = document.getElementById("root");
if (!root) throw new Error("index.html has no #root");

const api = createApi(withEarly((url, init) => fetch(url, init)));
const who = createWhoAmI(api);
// While the pages' code is on its way. Whoever needs the answer asks again.
who.ask().catch(() => undefined);
const updates =
  import.meta.env.PROD && "serviceWorker" in navigator
    ? registerServiceWorker(navigator.serviceWorker, () => window.location.reload())
    : NO_UPDATES;

const show = () =>
  createRoot(root).render(
    <StrictMode>
      <App api={api} who={who} theme={createTheme(window)} updates={updates} />
    </StrictMode>,
  );
// What index.html shows stays until there is more to see. A failure is shown by the application.
(window.location.pathname.startsWith("/d/") ? loadEditorPage() : loadDocumentsPage()).then(show, show);
