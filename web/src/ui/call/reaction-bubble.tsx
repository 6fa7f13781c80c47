import type { Reaction } from "moim-client";
import styles from "./reaction-bubble.module.css";

/** A participant's reaction, which rises and vanishes. The announcer reads it. */
export function ReactionBubble({ reaction }: { reaction: Reaction | null }) {
  if (!reaction) return null;
  return (
    <span key={reaction.key} className={styles.bubble} aria-hidden="true" data-testid="reaction">
      {reaction.emoji}
    </span>
  );
}
