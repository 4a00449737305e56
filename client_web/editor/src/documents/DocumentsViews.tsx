/** The way from list to list: documents or trash, and whose documents. */
import { ChevronDown, FileText, Trash2 } from "lucide-react";
import { Link, useLocation } from "wouter";
import { Menu, MenuChoice } from "../ui/Menu";
import { type DocumentsView, FILTERS, type Filter, VIEWS } from "./views";

export function DocumentsViews({ view }: { readonly view: DocumentsView }) {
  return (
    <div className="documents-views">
      <nav aria-label="Lists">
        <Link href="/" aria-current={view === "trash" ? undefined : "page"}>
          <FileText aria-hidden="true" size={16} />
          Documents
        </Link>
        <Link href={VIEWS.trash.address} aria-current={view === "trash" ? "page" : undefined}>
          <Trash2 aria-hidden="true" size={16} />
          Trash
        </Link>
      </nav>
      {view !== "trash" && <OwnerFilter view={view} />}
    </div>
  );
}

function OwnerFilter({ view }: { readonly view: Filter }) {
  const [, navigate] = useLocation();
  return (
    <Menu
      align="end"
      trigger={
        <button type="button" className="documents-filter" aria-label={`Filter: ${VIEWS[view].filter}`}>
          {VIEWS[view].filter}
          <ChevronDown aria-hidden="true" size={15} />
        </button>
      }
    >
      <MenuChoice
        label="Whose documents"
        value={view}
        options={FILTERS.map((filter) => ({ value: filter, label: VIEWS[filter].filter }))}
        onChange={(filter) => navigate(VIEWS[filter].address)}
      />
    </Menu>
  );
}
