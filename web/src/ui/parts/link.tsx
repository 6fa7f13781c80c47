import type { ComponentProps } from "react";
import { navigate } from "../router.ts";

/** A link within the page. With a modifier key it behaves like a normal link. */
export function Link({
  to,
  ...rest
}: { to: string } & Omit<ComponentProps<"a">, "href" | "onClick">) {
  return (
    <a
      {...rest}
      href={to}
      onClick={(event) => {
        if (event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
        event.preventDefault();
        if (!rest["aria-disabled"]) navigate(to);
      }}
    />
  );
}
