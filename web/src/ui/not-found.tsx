import { useI18n } from "./i18n/context.tsx";
import { PeopleIllustration } from "./parts/brand.tsx";
import { buttonClass } from "./parts/button.tsx";
import { Link } from "./parts/link.tsx";
import { Page } from "./parts/page.tsx";
import { ViewTitle } from "./parts/view-title.tsx";
import styles from "./room/call-ended.module.css";

/** View for an address that matches no route. */
export function NotFound() {
  const { t } = useI18n();
  return (
    <Page>
      <div className={styles.page}>
        <PeopleIllustration />
        <ViewTitle document="moim" className={styles.title}>
          {t.pageNotFound}
        </ViewTitle>
        <Link to="/" className={buttonClass("primary")}>
          {t.callEnded.home}
        </Link>
      </div>
    </Page>
  );
}
