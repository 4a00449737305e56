/** The orders of a list, and the one that this browser remembers. */
import type { Order } from "../api/api";
import { t } from "../i18n/t";

export const ORDERS: readonly Order[] = ["edited", "opened", "created", "title"];

export const ORDER_NAMES: Readonly<Record<Order, string>> = {
  edited: t("Last edit"),
  opened: t("Last opened by me"),
  created: t("Last made"),
  title: t("Title"),
};

const KEY = "manyhands:order";

export function isOrder(value: unknown): value is Order {
  return ORDERS.some((order) => order === value);
}

export function rememberedOrder(): Order {
  try {
    const order = localStorage.getItem(KEY);
    return isOrder(order) ? order : "edited";
  } catch {
    return "edited"; // storage may be forbidden
  }
}

export function rememberOrder(order: Order): void {
  try {
    localStorage.setItem(KEY, order);
  } catch {
    // The order then lasts as long as the page.
  }
}
