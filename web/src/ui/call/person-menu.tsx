import type { Hosting, Role } from "moim-client";
import type { RefObject } from "react";
import {
  Button,
  Header,
  Menu,
  MenuItem,
  MenuSection,
  MenuTrigger,
  Popover,
} from "react-aria-components";
import { useI18n } from "../i18n/context.tsx";
import { cx } from "../parts/cx.ts";
import { distinctName } from "../parts/distinct-name.ts";
import { Icon, type IconName } from "../parts/icon.tsx";
import iconButton from "../parts/icon-button.module.css";
import popover from "../parts/popover.module.css";
import { useMediaQuery } from "../use-media-query.ts";
import type { Act } from "./act.ts";
import styles from "./action-menu.module.css";
import type { PersonView } from "./people-view.ts";

/** A window without room for the menu above or below its button. */
const LOW = "(max-height: 480px)";

interface Props {
  row: PersonView;
  spotlight: readonly string[];
  hosting: Hosting;
  act: Act;
  /** The button that opens the menu. */
  trigger: RefObject<HTMLButtonElement | null>;
  /** The button receives the focus. */
  onFocus: () => void;
  onRemove: () => void;
}

/** Button with a menu of what a host may do about a participant. */
export function PersonMenu({ trigger, onFocus, ...props }: Props) {
  const { t } = useI18n();
  const label = t.people.actions(distinctName(props.row.person));
  const isLow = useMediaQuery(LOW);
  return (
    <MenuTrigger>
      <Button
        ref={trigger}
        aria-label={label}
        className={cx(iconButton.button)}
        data-testid="person-actions"
        onFocus={onFocus}
      >
        <Icon name="more" />
      </Button>
      <Popover
        placement={isLow ? "start" : "bottom end"}
        offset={4}
        className={cx(popover.popover)}
      >
        <Menu className={cx(styles.menu)}>
          <Actions {...props} />
        </Menu>
      </Popover>
    </MenuTrigger>
  );
}

function Actions({ row, spotlight, hosting, act, onRemove }: Omit<Props, "trigger" | "onFocus">) {
  const { t } = useI18n();
  const { person, isInSpotlight, mayRemove, roles } = row;
  const { id, media } = person;
  const only = [id];
  return (
    <>
      {media.mic ? (
        <Item
          icon="micOff"
          label={t.people.mute}
          testId="mute"
          onAction={() => act(hosting.mute(only, ["microphone"]))}
        />
      ) : (
        <Item
          icon="mic"
          label={t.people.askToUnmute}
          testId="ask-to-unmute"
          onAction={() => act(hosting.askToUnmute(id, ["microphone"]))}
        />
      )}
      {media.camera ? (
        <Item
          icon="cameraOff"
          label={t.people.stopCamera}
          testId="stop-camera"
          onAction={() => act(hosting.mute(only, ["camera"]))}
        />
      ) : (
        <Item
          icon="camera"
          label={t.people.askForCamera}
          testId="ask-for-camera"
          onAction={() => act(hosting.askToUnmute(id, ["camera"]))}
        />
      )}
      {media.screen ? (
        <Item
          icon="screen"
          label={t.people.stopScreen}
          testId="stop-screen"
          onAction={() => act(hosting.mute(only, ["screen"]))}
        />
      ) : null}
      <Item
        icon={isInSpotlight ? "shrink" : "enlarge"}
        label={isInSpotlight ? t.people.endSpotlight : t.people.spotlight}
        testId="spotlight"
        onAction={() =>
          act(hosting.spotlight(isInSpotlight ? spotlight.filter((one) => one !== id) : only))
        }
      />
      {roles.length > 0 ? (
        <MenuSection
          className={cx(styles.section, styles.roles)}
          selectionMode="single"
          disallowEmptySelection
          selectedKeys={person.role ? [person.role] : []}
          data-testid="role"
          onSelectionChange={(keys) => {
            const role = roles.find((role) => keys === "all" || keys.has(role));
            if (role) act(hosting.setRole(id, role));
          }}
        >
          <Header className={cx(styles.title)}>{t.people.roleTitle}</Header>
          {roles.map((role) => (
            <RoleItem key={role} role={role} />
          ))}
        </MenuSection>
      ) : null}
      {mayRemove ? (
        <MenuSection className={cx(styles.section)} aria-label={t.people.remove}>
          <Item
            icon="remove"
            label={t.people.remove}
            testId="remove"
            isDangerous
            onAction={onRemove}
          />
        </MenuSection>
      ) : null}
    </>
  );
}

function RoleItem({ role }: { role: Role }) {
  const { t } = useI18n();
  const label = t.people.role[role];
  return (
    <MenuItem id={role} textValue={label} className={cx(styles.item)} data-testid={`role-${role}`}>
      {({ isSelected }) => (
        <>
          <span className={styles.check}>
            {isSelected ? <Icon name="check" size={20} /> : null}
          </span>
          {label}
        </>
      )}
    </MenuItem>
  );
}

function Item({
  icon,
  label,
  testId,
  isDangerous = false,
  onAction,
}: {
  icon: IconName;
  label: string;
  testId: string;
  isDangerous?: boolean;
  onAction: () => void;
}) {
  return (
    <MenuItem
      textValue={label}
      className={cx(styles.item, isDangerous && styles.danger)}
      data-testid={testId}
      onAction={onAction}
    >
      <Icon name={icon} size={20} />
      {label}
    </MenuItem>
  );
}
