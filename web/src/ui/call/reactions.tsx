import type { Call } from "moim-client";
import { useRef, useState } from "react";
import { useI18n } from "../i18n/context.tsx";
import { keyOpens } from "../parts/key-opens.ts";
import { Popover } from "../parts/popover.tsx";
import { RoundButton } from "../parts/round-button.tsx";
import styles from "./reactions.module.css";

/** The emoji that can be shown. Screen readers know their names in any language. */
const EMOJI = ["👍", "❤️", "😂", "😮", "👏", "🎉", "🤔", "👎"] as const;

/** A row of emoji to show to everybody. */
export function ReactionRow({ call, onDone }: { call: Pick<Call, "react">; onDone?: () => void }) {
  const { t } = useI18n();
  return (
    // biome-ignore lint/a11y/useSemanticElements: a fieldset is for forms.
    <div className={styles.row} role="group" aria-label={t.controls.reactions}>
      {EMOJI.map((emoji) => (
        <button
          key={emoji}
          type="button"
          className={styles.emoji}
          data-testid="react"
          data-emoji={emoji}
          onClick={() => {
            call.react(emoji);
            onDone?.();
          }}
        >
          {emoji}
        </button>
      ))}
    </div>
  );
}

/** Button that opens the row above it. */
export function ReactionButton({ call }: { call: Pick<Call, "react"> }) {
  const { t } = useI18n();
  const [isOpen, setOpen] = useState(false);
  const trigger = useRef<HTMLButtonElement>(null);
  const close = () => setOpen(false);
  return (
    <>
      <RoundButton
        ref={trigger}
        icon="smile"
        label={t.controls.reactions}
        isOffByDefault
        aria-haspopup="dialog"
        aria-expanded={isOpen}
        data-testid="open-reactions"
        onClick={() => setOpen(!isOpen)}
        onKeyDown={keyOpens(() => setOpen(true))}
      />
      {isOpen ? (
        <Popover
          anchor={trigger}
          label={t.controls.reactions}
          side="above"
          shape="row"
          onClose={close}
        >
          <ReactionRow call={call} onDone={close} />
        </Popover>
      ) : null}
    </>
  );
}
