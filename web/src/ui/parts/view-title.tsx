import { type ReactNode, useEffect, useRef } from "react";

interface Props {
  /** Title of the browser tab. */
  document: string;
  children: ReactNode;
  className?: string | undefined;
}

/** Heading of a view. It takes focus when one view replaces another, so that it is announced. */
export function ViewTitle({ document: title, children, className }: Props) {
  const ref = useRef<HTMLHeadingElement>(null);
  useEffect(() => {
    document.title = title;
  }, [title]);
  useEffect(() => {
    // Neither steals focus from a field nor takes it on the first view, where the browser sets it.
    const isUnfocused = document.activeElement === document.body || document.activeElement === null;
    if (isUnfocused && isLaterView) ref.current?.focus();
    isLaterView = true;
  }, []);
  return (
    <h1 ref={ref} tabIndex={-1} className={className}>
      {children}
    </h1>
  );
}

let isLaterView = false;
