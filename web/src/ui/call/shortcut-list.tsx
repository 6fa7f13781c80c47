import { useI18n } from "../i18n/context.tsx";
import { keysOf } from "../parts/shortcuts.ts";
import { isMac } from "../platform.ts";
import styles from "./settings.module.css";

/** The keys of a call with what they do. */
export function ShortcutList() {
  const { t } = useI18n();
  const { shortcuts } = t.settings;
  const rows = [
    [shortcuts.mic, keysOf("mic", isMac)],
    [shortcuts.camera, keysOf("camera", isMac)],
    [shortcuts.bar, keysOf("bar", isMac)],
    [shortcuts.help, `${keysOf("help", isMac)} · ?`],
    [shortcuts.escape, "Esc"],
    [shortcuts.arrows, "← ↑ → ↓"],
    [shortcuts.enter, "Enter"],
    [shortcuts.newline, "Shift+Enter"],
  ] as const;
  return (
    <>
      <p className={styles.lead}>{t.settings.shortcutsHint}</p>
      <dl className={styles.rows} data-testid="shortcuts">
        {rows.map(([what, keys]) => (
          <div key={what} className={styles.shortcut}>
            <dt>{what}</dt>
            <dd>
              <kbd className={styles.keys}>{keys}</kbd>
            </dd>
          </div>
        ))}
      </dl>
    </>
  );
}
