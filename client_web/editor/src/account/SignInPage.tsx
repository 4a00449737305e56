/** What stands where a page would be, for people whom the server does not know yet, or not any more. */
import { KeyRound, LogIn } from "lucide-react";
import { signInAddress, useStanding } from "../api/whoAmI";
import { t } from "../i18n/t";
import { EmptyState } from "../ui/EmptyState";
import { usePageTitle } from "../ui/usePageTitle";

export function SignInPage() {
  usePageTitle(t("Sign in"));
  const address = signInAddress(useStanding(), window.location);
  return (
    <main>
      <EmptyState
        level={1}
        picture={<KeyRound size={44} strokeWidth={1.4} />}
        title={address ? t("Sign in to go on") : t("You are not signed in")}
        action={address && <SignInLink address={address} />}
      >
        <p>
          {address
            ? t(
                "The documents here belong to people whom this server knows. You come back to this page afterwards.",
              )
            : t(
                "Documents are opened from the application that this server belongs to. Open this page from there once more.",
              )}
        </p>
      </EmptyState>
    </main>
  );
}

export function SignInLink({ address }: { readonly address: string }) {
  return (
    <a href={address} className="ui-button ui-button--primary">
      <LogIn aria-hidden="true" size={17} />
      {t("Sign in")}
    </a>
  );
}
