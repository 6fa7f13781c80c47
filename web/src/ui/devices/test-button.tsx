import { Icon, type IconName } from "../parts/icon.tsx";
import styles from "./test-button.module.css";

interface Props {
  icon: IconName;
  label: string;
  /** What the running test does; null while none runs. */
  running: string | null;
  /** Why the last test failed. */
  failure: string | null;
  disabled?: boolean;
  testId: string;
  onClick: () => void;
}

/** A button that starts a test of a device and shows what the test does. */
export function TestButton({
  icon,
  label,
  running,
  failure,
  disabled = false,
  testId,
  onClick,
}: Props) {
  return (
    <div className={styles.test}>
      <button
        type="button"
        className={styles.button}
        aria-busy={running !== null}
        disabled={disabled}
        data-testid={testId}
        onClick={() => {
          if (running === null) onClick();
        }}
      >
        <Icon name={icon} size={19} />
        <span role="status">{running ?? label}</span>
      </button>
      {failure === null || running !== null ? null : (
        <p className={styles.failed} role="alert">
          {failure}
        </p>
      )}
    </div>
  );
}
