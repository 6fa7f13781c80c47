import type { ReactNode } from "react";
import { Dialog, Heading, Modal, ModalOverlay } from "react-aria-components";
import { useI18n } from "../i18n/context.tsx";
import { cx } from "../parts/cx.ts";
import { Icon } from "../parts/icon.tsx";
import styles from "./sheet.module.css";

interface Props {
  title: string;
  onClose: () => void;
  children: ReactNode;
}

/** A sheet over the lower edge of a phone. Escape, a press outside and the cross close it. */
export function Sheet({ title, onClose, children }: Props) {
  const { t } = useI18n();
  return (
    <ModalOverlay
      isOpen
      isDismissable
      onOpenChange={(isOpen) => {
        if (!isOpen) onClose();
      }}
      className={cx(styles.veil)}
    >
      <Modal className={cx(styles.sheet)}>
        <Dialog className={cx(styles.dialog)}>
          <header className={styles.head}>
            <Heading slot="title" className={cx(styles.title)}>
              {title}
            </Heading>
            <button type="button" className={styles.close} aria-label={t.close} onClick={onClose}>
              <Icon name="close" />
            </button>
          </header>
          <div className={styles.body}>{children}</div>
        </Dialog>
      </Modal>
    </ModalOverlay>
  );
}
