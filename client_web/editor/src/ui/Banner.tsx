/** A line across the page about its present state, with what can be done about it. */
import type { LucideIcon } from "lucide-react";
import type { ReactNode } from "react";
import { classes } from "./classes";
import "./Banner.css";

export interface BannerProps {
  readonly icon: LucideIcon;
  readonly tone?: "info" | "warning" | "danger";
  readonly children: ReactNode;
  /** Buttons. */
  readonly action?: ReactNode;
}

export function Banner({ icon: Icon, tone = "info", children, action }: BannerProps) {
  return (
    <div className={classes("ui-banner", `ui-banner--${tone}`)} role={tone === "danger" ? "alert" : "status"}>
      <Icon aria-hidden="true" size={18} className="ui-banner-icon" />
      <p className="ui-banner-words">{children}</p>
      {action}
    </div>
  );
}
