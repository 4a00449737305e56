/** The page for an address that leads nowhere. */

import type { ReactNode } from "react";
import { Link } from "wouter";
import { t } from "../i18n/t";
import { classes } from "./classes";
import { EmptyState } from "./EmptyState";
import { Mark } from "./Mark";
import { usePageTitle } from "./usePageTitle";

/** `action`: something else to do than to go to the documents. */
export function NotFoundPage({ action = null }: { readonly action?: ReactNode }) {
  usePageTitle(t("Not found"));
  return (
    <main>
      <EmptyState
        level={1}
        picture={<Mark size={56} />}
        title={t("There is nothing at this address")}
        action={
          <>
            {action}
            <Link
              href="/"
              className={classes("ui-button", action ? "ui-button--secondary" : "ui-button--primary")}
            >
              {t("Go to the documents")}
            </Link>
          </>
        }
      >
        <p>
          {t("The link may be incomplete, or not meant for you. Ask whoever sent it to copy it once more.")}
        </p>
      </EmptyState>
    </main>
  );
}
