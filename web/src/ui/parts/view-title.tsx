import { type ReactNode, useEffect, useRef } from "react";

interface Props {
  /** In the browser's tab. */
  document: string;
  children: ReactNode;
  className?: string | undefined;
}

/** The heading of a view. When the view replaces another it takes the focus, so that it is read. */
export function ViewTitle({ document: title, children, className }: Props) {
  const ref = useRef<HTMLHeadingElement>(null);
  useEffect(() => {
    document.title = title;
  }, [title]);
  useEffect(() => {
    // Not over a field that asked for it, and not on the first view: there the browser starts.
    const idle = document.activeElement === document.body || document.activeElement === null;
    if (idle && isLaterView) ref.current?.focus();
    isLaterView = true;
  }, []);
  return (
    <h1 ref={ref} tabIndex={-1} className={className}>
      {children}
    </h1>
  );
}

let isLaterView = false;
