import { useSpeech } from "./i18n/context.tsx";
import { Gathering } from "./parts/brand.tsx";
import { buttonClass } from "./parts/button.tsx";
import { Link } from "./parts/link.tsx";
import { Page } from "./parts/page.tsx";
import { ViewTitle } from "./parts/view-title.tsx";
import styles from "./room/left.module.css";

/** An address that leads nowhere. */
export function Lost() {
  const { t } = useSpeech();
  return (
    <Page>
      <div className={styles.left}>
        <Gathering />
        <ViewTitle document="moim" className={styles.title}>
          {t.nowhere}
        </ViewTitle>
        <Link to="/" className={buttonClass("primary")}>
          {t.left.home}
        </Link>
      </div>
    </Page>
  );
}
