/** The way from list to list, and the choices within one: whose documents, which label, in which order. */
import { ChevronDown, FileText, Star, Trash2 } from "lucide-react";
import { useState } from "react";
import { Link, useLocation } from "wouter";
import { useApi } from "../api/ApiContext";
import type { Order } from "../api/api";
import { t } from "../i18n/t";
import { Menu, MenuChoice } from "../ui/Menu";
import { isOrder, ORDER_NAMES, ORDERS } from "./orders";
import { type DocumentsView, FILTERS, type Filter, VIEWS } from "./views";

export interface DocumentsViewsProps {
  readonly view: DocumentsView;
  readonly label: string;
  readonly order: Order;
  readonly onLabel: (label: string) => void;
  readonly onOrder: (order: Order) => void;
}

export function DocumentsViews({ view, label, order, onLabel, onOrder }: DocumentsViewsProps) {
  const isElsewhere = view === "trash" || view === "starred";
  return (
    <div className="documents-views">
      <nav aria-label={t("Lists")}>
        <Link href="/" aria-current={isElsewhere ? undefined : "page"}>
          <FileText aria-hidden="true" size={16} />
          {t("Documents")}
        </Link>
        <Link href={VIEWS.starred.address} aria-current={view === "starred" ? "page" : undefined}>
          <Star aria-hidden="true" size={16} />
          {t("Starred")}
        </Link>
        <Link href={VIEWS.trash.address} aria-current={view === "trash" ? "page" : undefined}>
          <Trash2 aria-hidden="true" size={16} />
          {t("Trash")}
        </Link>
      </nav>
      <div className="documents-choices">
        {view !== "trash" && view !== "starred" && <OwnerFilter view={view} />}
        {view !== "trash" && <LabelFilter label={label} onLabel={onLabel} />}
        <OrderChoice order={order} onOrder={onOrder} />
      </div>
    </div>
  );
}

function LabelFilter({ label, onLabel }: Pick<DocumentsViewsProps, "label" | "onLabel">) {
  const api = useApi();
  const [known, setKnown] = useState<readonly string[]>([]);
  const labels = label === "" || known.includes(label) ? known : [label, ...known];
  return (
    <Menu
      align="end"
      onOpenChange={(open) => {
        if (open) api.listLabels().then(setKnown, () => undefined);
      }}
      trigger={
        <button
          type="button"
          className="documents-filter"
          aria-label={t("Label: {label}", { label: label || t("Any label") })}
        >
          <span className="documents-filter-words" dir="auto">
            {label || t("Any label")}
          </span>
          <ChevronDown aria-hidden="true" size={15} />
        </button>
      }
    >
      <MenuChoice
        label={t("Label")}
        value={`=${label}`}
        options={[
          { value: "=", label: t("Any label") },
          ...labels.map((each) => ({ value: `=${each}`, label: <span dir="auto">{each}</span> })),
        ]}
        onChange={(chosen) => onLabel(chosen.slice(1))}
      />
      {labels.length === 0 && (
        <p className="documents-menu-note">{t("Nothing has a label yet. Give one in a document’s menu.")}</p>
      )}
    </Menu>
  );
}

function OrderChoice({ order, onOrder }: Pick<DocumentsViewsProps, "order" | "onOrder">) {
  return (
    <Menu
      align="end"
      trigger={
        <button
          type="button"
          className="documents-filter"
          aria-label={t("Sort: {order}", { order: ORDER_NAMES[order] })}
        >
          {ORDER_NAMES[order]}
          <ChevronDown aria-hidden="true" size={15} />
        </button>
      }
    >
      <MenuChoice
        label={t("Sort")}
        value={order}
        options={ORDERS.map((each) => ({ value: each, label: ORDER_NAMES[each] }))}
        onChange={(chosen) => isOrder(chosen) && onOrder(chosen)}
      />
    </Menu>
  );
}

function OwnerFilter({ view }: { readonly view: Filter }) {
  const [, navigate] = useLocation();
  return (
    <Menu
      align="end"
      trigger={
        <button
          type="button"
          className="documents-filter"
          aria-label={t("Filter: {filter}", { filter: VIEWS[view].filter })}
        >
          {VIEWS[view].filter}
          <ChevronDown aria-hidden="true" size={15} />
        </button>
      }
    >
      <MenuChoice
        label={t("Whose documents")}
        value={view}
        options={FILTERS.map((filter) => ({ value: filter, label: VIEWS[filter].filter }))}
        onChange={(filter) => navigate(VIEWS[filter].address)}
      />
    </Menu>
  );
}
