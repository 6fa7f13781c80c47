import { Switch } from "react-aria-components";
import { cx } from "../parts/cx.ts";
import styles from "./settings.module.css";

interface Props {
  label: string;
  hint?: string;
  isOn: boolean;
  testId: string;
  onChange: (isOn: boolean) => void;
}

/** A setting that is on or off. */
export function SwitchRow({ label, hint, isOn, testId, onChange }: Props) {
  return (
    <Switch
      isSelected={isOn}
      onChange={onChange}
      className={cx(styles.switch)}
      data-testid={testId}
    >
      <span className={styles.words}>
        {label}
        {hint ? <small className={styles.hint}>{hint}</small> : null}
      </span>
      <span className={styles.track}>
        <span className={styles.thumb} />
      </span>
    </Switch>
  );
}
