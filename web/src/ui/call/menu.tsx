import { type ComponentProps, type ReactNode, type RefObject, useRef } from "react";
import { useI18n } from "../i18n/context.tsx";
import { canFillScreen, useFullScreen } from "../parts/full-screen.ts";
import { Icon } from "../parts/icon.tsx";
import { Popover } from "../parts/popover.tsx";
import styles from "./menu.module.css";

type Trigger = Pick<
  ComponentProps<"button">,
  "ref" | "aria-haspopup" | "aria-expanded" | "onClick"
>;

interface Props {
  label: string;
  isOpen: boolean;
  onOpen: (isOpen: boolean) => void;
  /** The button that opens the menu. */
  button: (trigger: Trigger) => ReactNode;
  children: ReactNode;
}

/** A button with a menu of choices beside it. */
export function Menu({ label, isOpen, onOpen, button, children }: Props) {
  const ref = useRef<HTMLButtonElement>(null);
  return (
    <>
      {button({
        ref,
        "aria-haspopup": "dialog",
        "aria-expanded": isOpen,
        onClick: () => onOpen(!isOpen),
      })}
      {isOpen ? (
        <Popover anchor={ref} label={label} onClose={() => onOpen(false)}>
          {children}
        </Popover>
      ) : null}
    </>
  );
}

interface ChoiceProps {
  label: string;
  isChosen: boolean;
  testId: string;
  onChange: (isChosen: boolean) => void;
}

/** A choice of a menu that is made or not. */
export function MenuCheckbox({ label, isChosen, testId, onChange }: ChoiceProps) {
  return (
    <label className={styles.choice}>
      <input
        type="checkbox"
        checked={isChosen}
        data-testid={testId}
        onChange={({ target }) => onChange(target.checked)}
      />
      {label}
    </label>
  );
}

/** Lets an element, or the page, fill the screen, or ends that. */
export function FullScreenAction({
  element,
  testId,
  onDone,
}: {
  element?: RefObject<HTMLElement | null>;
  testId: string;
  onDone: () => void;
}) {
  const { t } = useI18n();
  const [isFull, toggleFull] = useFullScreen(element);
  if (!canFillScreen) return null;
  return (
    <button
      type="button"
      className={styles.action}
      data-testid={testId}
      onClick={() => {
        onDone();
        toggleFull();
      }}
    >
      <Icon name={isFull ? "shrink" : "enlarge"} size={20} />
      {isFull ? t.tile.endFullScreen : t.tile.fullScreen}
    </button>
  );
}
