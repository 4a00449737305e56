/** What is seen while a page's code is on its way; it shows itself only when that takes a while. */
import { t } from "../i18n/t";
import { Mark } from "../ui/Mark";
import "./PageLoading.css";

export function PageLoading() {
  return (
    <div className="page-loading" role="status">
      <Mark size={44} />
      <span className="ui-hidden">{t("Loading…")}</span>
    </div>
  );
}
