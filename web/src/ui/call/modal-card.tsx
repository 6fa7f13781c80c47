import type { ReactNode } from "react";
import { Dialog, Heading, Modal, ModalOverlay } from "react-aria-components";
import { useI18n } from "../i18n/context.tsx";
import { cx } from "../parts/cx.ts";
import { IconButton } from "../parts/icon-button.tsx";
import styles from "./modal-card.module.css";

interface Props {
  title: string;
  /** `card`: in the middle; `sheet`: over the lower edge of a phone. */
  shape: "card" | "sheet";
  testId?: string;
  onClose: () => void;
  children: ReactNode;
}

/** A modal dialog with a title. Escape, a press outside and the cross close it. */
export function ModalCard({ title, shape, testId, onClose, children }: Props) {
  const { t } = useI18n();
  return (
    <ModalOverlay
      isOpen
      isDismissable
      onOpenChange={(isOpen) => {
        if (!isOpen) onClose();
      }}
      className={cx(styles.veil, styles[`${shape}Veil`])}
    >
      <Modal className={cx(styles.modal, styles[shape])}>
        <Dialog className={cx(styles.dialog)} data-testid={testId}>
          <header className={styles.head}>
            <Heading slot="title" className={cx(styles.title)}>
              {title}
            </Heading>
            <IconButton icon="close" label={t.close} onClick={onClose} />
          </header>
          {children}
        </Dialog>
      </Modal>
    </ModalOverlay>
  );
}
