/** The orders of a list, and the one that this browser remembers. */
import type { Order } from "../api/api";

export const ORDERS: readonly Order[] = ["edited", "opened", "created", "title"];

export const ORDER_NAMES: Readonly<Record<Order, string>> = {
  edited: "Last edit",
  opened: "Last opened by me",
  created: "Last made",
  title: "Title",
};

/** Before the time in a row. */
export const ORDER_VERBS: Readonly<Record<Order, string>> = {
  edited: "Edited",
  opened: "Opened",
  created: "Made",
  title: "Edited",
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
