import { useState } from "react";
import { NO_ORDER, type OrderInput, reduceOrder } from "./pages.ts";

/** Keys of the tiles besides the user's own, in the order in which they are shown. */
export function useOrder(input: OrderInput): readonly string[] {
  const [order, setOrder] = useState(NO_ORDER);
  const next = reduceOrder(order, input);
  // Once more with the next order, which the same input leaves as it is.
  if (next !== order) setOrder(next);
  return next.keys;
}
