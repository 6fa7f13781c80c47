import { encode } from "uqr";
import { useI18n } from "../i18n/context.tsx";
import styles from "./invite.module.css";
import { QUIET_ZONE, qrPath } from "./qr-path.ts";

/** A link as a QR code. Dark on light in both schemes: many scanners read no inverted codes. */
export default function QrCode({ link }: { link: string }) {
  const { t } = useI18n();
  const code = encodeLink(link);
  if (!code) return <p role="status">{t.reach.invite.qrTooLong}</p>;
  const size = code.size + 2 * QUIET_ZONE;
  return (
    <figure className={styles.qr}>
      <svg
        viewBox={`0 0 ${size} ${size}`}
        role="img"
        aria-label={t.reach.invite.qrLabel(link)}
        data-testid="qr-code"
        shapeRendering="crispEdges"
      >
        <path d={qrPath(code.data)} fill="currentColor" />
      </svg>
      <figcaption>{t.reach.invite.qrHint}</figcaption>
    </figure>
  );
}

/** Null for a link that fits into no code. */
function encodeLink(link: string) {
  try {
    return encode(link, { ecc: "M", border: 0 });
  } catch {
    return null;
  }
}
