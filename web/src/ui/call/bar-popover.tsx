import type { ReactNode, RefObject } from "react";
import { Dialog, Popover } from "react-aria-components";
import { cx } from "../parts/cx.ts";
import styles from "./bar-popover.module.css";

interface Props {
  /** The button that opens it, and receives focus when it closes. */
  trigger: RefObject<HTMLButtonElement | null>;
  label: string;
  isOpen: boolean;
  onClose: () => void;
  /** Round ends and no padding, for one row of buttons. */
  isRow?: boolean;
  children: ReactNode;
}

/** A card above a button of the bar. Escape and a press outside close it. */
export function BarPopover({ trigger, label, isOpen, onClose, isRow = false, children }: Props) {
  return (
    <Popover
      triggerRef={trigger}
      isOpen={isOpen}
      onOpenChange={(isOpen) => {
        if (!isOpen) onClose();
      }}
      placement="top"
      offset={12}
      className={cx(styles.popover, isRow && styles.row)}
    >
      <Dialog aria-label={label} className={cx(styles.dialog)}>
        {children}
      </Dialog>
    </Popover>
  );
}
