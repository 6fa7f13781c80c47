import styles from "./stats.module.css";

const WIDTH = 120;
const HEIGHT = 28;

/**
 * A small graph, newest value at the right. Decorative: the number beside it is the content. At
 * least the value `least` fills the height, so that noise makes no mountains.
 */
export function Sparkline({ values, least }: { values: readonly number[]; least: number }) {
  const highest = Math.max(...values, least);
  const step = WIDTH / Math.max(values.length - 1, 1);
  const points = values.map(
    (value, i) =>
      `${(i * step).toFixed(1)},${(HEIGHT - 1 - (value / highest) * (HEIGHT - 2)).toFixed(1)}`,
  );
  return (
    <svg
      className={styles.spark}
      viewBox={`0 0 ${WIDTH} ${HEIGHT}`}
      preserveAspectRatio="none"
      aria-hidden="true"
      focusable="false"
    >
      <polyline points={points.join(" ")} />
    </svg>
  );
}
