import type { ComponentProps } from "react";
import { useI18n } from "../i18n/context.tsx";
import { Icon, type IconName } from "../parts/icon.tsx";
import styles from "./tile.module.css";

interface ButtonProps extends Omit<ComponentProps<"button">, "className" | "type" | "tabIndex"> {
  icon: IconName;
  label: string;
  /** Tabbing reaches it; otherwise arrow keys do. */
  isTabStop: boolean;
}

/** A button over a tile, shown while the tile is pointed at, tapped or focused. */
export function TileButton({ icon, label, isTabStop, title, ...rest }: ButtonProps) {
  return (
    <button
      {...rest}
      type="button"
      className={styles.action}
      tabIndex={isTabStop ? 0 : -1}
      aria-label={label}
      title={title ?? label}
      data-tile-action
    >
      <Icon name={icon} size={18} />
    </button>
  );
}

/** Pins or unpins a tile. `label` names the action while the tile is not pinned. */
export function PinButton({
  label,
  isPinned,
  isTabStop,
  onPin,
}: {
  label: string;
  isPinned: boolean;
  isTabStop: boolean;
  onPin: () => void;
}) {
  const { t } = useI18n();
  return (
    <TileButton
      icon={isPinned ? "shrink" : "enlarge"}
      label={isPinned ? t.call.unpin : label}
      isTabStop={isTabStop}
      data-testid="pin"
      onClick={onPin}
    />
  );
}
