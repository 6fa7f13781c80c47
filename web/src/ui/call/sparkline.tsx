import styles from "./stats.module.css";

const WIDTH = 120;
const HEIGHT = 28;

/** A small graph, newest value at the right. Decorative: the number beside it is the content. */
export function Sparkline({ values }: { values: readonly number[] }) {
  const highest = Math.max(...values, Number.EPSILON);
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
