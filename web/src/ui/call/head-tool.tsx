import type { ComponentProps } from "react";
import { IconButton } from "../parts/icon-button.tsx";

interface Props extends Omit<ComponentProps<typeof IconButton>, "isTool" | "iconSize"> {
  tooltip?: string;
}

/** A quiet button of the head. */
export function HeadTool({ tooltip, ...rest }: Props) {
  return <IconButton {...rest} isTool iconSize={20} tip={tooltip ?? rest.label} />;
}
