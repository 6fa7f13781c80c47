import type { ReactNode } from "react";
import { ModalCard } from "./modal-card.tsx";
import styles from "./sheet.module.css";

interface Props {
  title: string;
  onClose: () => void;
  children: ReactNode;
}

/** A sheet over the lower edge of a phone. */
export function Sheet({ title, onClose, children }: Props) {
  return (
    <ModalCard title={title} shape="sheet" onClose={onClose}>
      <div className={styles.body}>{children}</div>
    </ModalCard>
  );
}
