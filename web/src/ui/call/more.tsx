import { type ReactNode, useRef, useState } from "react";
import { Menu, MenuItem, Popover } from "react-aria-components";
import { useI18n } from "../i18n/context.tsx";
import { cx } from "../parts/cx.ts";
import { Icon, type IconName } from "../parts/icon.tsx";
import { keyOpens } from "../parts/key-opens.ts";
import { usePollTexts } from "../parts/part-texts.ts";
import popover from "../parts/popover.module.css";
import { RoundButton } from "../parts/round-button.tsx";
import menu from "./action-menu.module.css";
import styles from "./more.module.css";
import { Sheet } from "./sheet.tsx";
import { opens } from "./use-panel.ts";

/** Something that the menu offers. */
export interface MoreItem {
  icon: IconName;
  label: string;
  testId?: string;
  run: () => void;
}

interface Props {
  items: readonly MoreItem[];
  /** Something in it waits for the user: shown as a badge. */
  count: number;
  /** A sheet, with `children` above the items, instead of a menu. */
  isSheet: boolean;
  children?: ReactNode;
}

/** Actions that don't fit into the bar: a menu above its button, or a sheet on a phone. */
export function More({ items, count, isSheet, children }: Props) {
  const { t } = useI18n();
  const pollTexts = usePollTexts();
  const [isOpen, setOpen] = useState(false);
  /** The item with the focus when the menu opens; by mouse none of them. */
  const [focused, setFocused] = useState<"first" | "last" | true>("first");
  const trigger = useRef<HTMLButtonElement>(null);
  const close = () => setOpen(false);
  // With the key rather than with the click that follows: that one counts as a screen reader's, of
  // which the menu itself would get the focus.
  const openByKey = keyOpens((isLast) => {
    setFocused(isLast ? "last" : "first");
    setOpen(true);
  }, true);
  return (
    <>
      <RoundButton
        ref={trigger}
        icon="more"
        label={count > 0 ? `${t.controls.more}, ${pollTexts.titleOpen(count)}` : t.controls.more}
        tooltip={t.controls.more}
        count={count}
        isOffByDefault
        aria-haspopup={isSheet ? "dialog" : "menu"}
        aria-expanded={isOpen}
        data-testid="open-more"
        {...opens("info", "connection", "people", "polls")}
        onPointerDown={() => setFocused(true)}
        onClick={() => setOpen(!isOpen)}
        onKeyDown={isSheet ? undefined : openByKey}
      />
      {isSheet && isOpen ? (
        <Sheet title={t.controls.more} onClose={close}>
          {/* biome-ignore lint/a11y/noStaticElementInteractions: each of its buttons closes the sheet. */}
          {/* biome-ignore lint/a11y/useKeyWithClickEvents: so do they by a key. */}
          <div className={styles.list} data-testid="more" onClick={close}>
            {children}
            {items.map(({ icon, label, testId, run }) => (
              <button
                key={label}
                type="button"
                className={styles.sheetItem}
                data-testid={testId}
                onClick={run}
              >
                <Icon name={icon} />
                {label}
              </button>
            ))}
          </div>
        </Sheet>
      ) : null}
      {isSheet ? null : (
        <Popover
          aria-label={t.controls.more}
          triggerRef={trigger}
          isOpen={isOpen}
          onOpenChange={setOpen}
          placement="top"
          offset={12}
          className={cx(popover.popover)}
        >
          <Menu
            aria-label={t.controls.more}
            autoFocus={focused}
            className={cx(menu.menu)}
            onClose={close}
          >
            {items.map(({ icon, label, testId, run }) => (
              <MenuItem
                key={label}
                id={label}
                textValue={label}
                className={cx(menu.item)}
                data-testid={testId}
                onAction={run}
              >
                <Icon name={icon} size={20} />
                {label}
              </MenuItem>
            ))}
          </Menu>
        </Popover>
      )}
    </>
  );
}
