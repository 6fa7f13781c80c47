import { lazy, Suspense } from "react";
import { useI18n } from "../i18n/context.tsx";
import { Dialog } from "../parts/dialog.tsx";

interface Props {
  room: string;
  onClose: () => void;
}

// Loaded when it is opened: the first load is for those who join.
const Invite = lazy(() =>
  import("./invite.tsx").then(
    ({ Invite }) => ({ default: Invite }),
    () => ({ default: NotLoaded }),
  ),
);

/** Dialog with the ways to invite people to a room, for views outside a call. */
export function InviteDialog({ room, onClose }: Props) {
  const { t } = useI18n();
  return (
    <Dialog title={t.reach.invite.title(room)} onClose={onClose}>
      <Suspense fallback={null}>
        <Invite room={room} />
      </Suspense>
    </Dialog>
  );
}

function NotLoaded() {
  const { t } = useI18n();
  return <p role="status">{t.errors.offline}</p>;
}
