import { useI18n } from "../i18n/context.tsx";
import { Dialog } from "../parts/dialog.tsx";
import { loadPart } from "../parts/load-part.tsx";

interface Props {
  room: string;
  onClose: () => void;
}

// Loaded when it is opened: the first load is for those who join.
const Invite = loadPart(async () => (await import("./invite.tsx")).Invite);

/** Dialog with the ways to invite people to a room, for views outside a call. */
export function InviteDialog({ room, onClose }: Props) {
  const { t } = useI18n();
  return (
    <Dialog title={t.reach.invite.title(room)} onClose={onClose}>
      <Invite room={room} />
    </Dialog>
  );
}
