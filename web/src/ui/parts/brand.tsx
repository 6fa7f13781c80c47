import styles from "./brand.module.css";

/** The logo: ㅁ and ㅇ, letters of 모임 (meeting), as a room and a person in it. */
export function Mark({ size = 32 }: { size?: number }) {
  return (
    <svg viewBox="0 0 32 32" width={size} height={size} aria-hidden="true" focusable="false">
      <rect className={styles.room} x="2" y="2" width="20" height="20" rx="5" />
      <circle className={styles.person} cx="21" cy="21" r="9" />
      <path className={styles.shared} d="M22 12.06V17a5 5 0 0 1-5 5h-4.94A9 9 0 0 1 22 12.06Z" />
    </svg>
  );
}

/** The logo with the word "moim". */
export function Wordmark() {
  return (
    <span className={styles.wordmark}>
      <Mark size={30} />
      <svg viewBox="0 0 76 24" width={76} height={24} role="img" aria-label="moim">
        <g
          fill="none"
          stroke="currentColor"
          strokeWidth={3}
          strokeLinecap="round"
          strokeLinejoin="round"
        >
          <path d="M2 19.5V8M2 13a5 5 0 0 1 10 0v6.5M12 13a5 5 0 0 1 10 0v6.5" />
          <circle cx="34" cy="13.7" r="5.8" />
          <path d="M46.5 8.5v11M53 19.5V8M53 13a5 5 0 0 1 10 0v6.5M63 13a5 5 0 0 1 10 0v6.5" />
        </g>
        <circle className={styles.dot} cx="46.5" cy="3" r="2.2" />
      </svg>
    </span>
  );
}

/** Decorative illustration of a group of people, for empty views. */
export function PeopleIllustration() {
  return (
    <svg className={styles.gathering} viewBox="0 0 240 84" aria-hidden="true" focusable="false">
      {people.map(({ x, tall, kind }) => (
        <g key={x} className={styles[kind]}>
          <circle cx={x} cy={84 - tall} r="11" />
          <path d={`M${x - 17} 84v${-(tall - 34)}a17 17 0 0 1 34 0v${tall - 34}Z`} />
        </g>
      ))}
    </svg>
  );
}

const people = [
  { x: 22, tall: 50, kind: "pale" },
  { x: 62, tall: 66, kind: "leaf" },
  { x: 101, tall: 54, kind: "fruit" },
  { x: 140, tall: 70, kind: "deep" },
  { x: 179, tall: 58, kind: "leaf" },
  { x: 218, tall: 48, kind: "pale" },
] as const;
