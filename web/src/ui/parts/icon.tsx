import {
  Activity,
  ArrowLeftRight,
  Bell,
  CalendarPlus,
  Check,
  ChevronDown,
  ChevronRight,
  ChevronUp,
  Clock,
  Columns2,
  Dices,
  EllipsisVertical,
  Eye,
  GalleryThumbnails,
  Globe,
  Hand,
  Info,
  Keyboard,
  LayoutDashboard,
  LayoutGrid,
  Link,
  Lock,
  type LucideIcon,
  Mail,
  Maximize2,
  MessageSquareText,
  Mic,
  MicOff,
  Minimize2,
  Minus,
  MonitorUp,
  Phone,
  PictureInPicture2,
  Pin,
  Plus,
  QrCode,
  SendHorizontal,
  Server,
  Settings,
  Share,
  Smile,
  Sparkles,
  SunMoon,
  SwitchCamera,
  TriangleAlert,
  Users,
  Video,
  VideoOff,
  Volume2,
  VolumeX,
  X,
} from "lucide-react";

/** The names by which the page calls its icons, all of them of Lucide. */
const icons = {
  mic: Mic,
  micOff: MicOff,
  camera: Video,
  cameraOff: VideoOff,
  flip: SwitchCamera,
  screen: MonitorUp,
  chat: MessageSquareText,
  send: SendHorizontal,
  grid: LayoutGrid,
  auto: Sparkles,
  side: Columns2,
  layout: LayoutDashboard,
  popOut: PictureInPicture2,
  speakerView: GalleryThumbnails,
  stats: Activity,
  enlarge: Maximize2,
  shrink: Minimize2,
  leave: Phone,
  link: Link,
  share: Share,
  settings: Settings,
  people: Users,
  lock: Lock,
  globe: Globe,
  check: Check,
  alert: TriangleAlert,
  direct: ArrowLeftRight,
  server: Server,
  speaker: Volume2,
  speakerOff: VolumeX,
  plus: Plus,
  hand: Hand,
  smile: Smile,
  pin: Pin,
  hide: Minus,
  more: EllipsisVertical,
  close: X,
  down: ChevronDown,
  up: ChevronUp,
  next: ChevronRight,
  eye: Eye,
  dice: Dices,
  info: Info,
  keyboard: Keyboard,
  theme: SunMoon,
  bell: Bell,
  calendar: CalendarPlus,
  clock: Clock,
  mail: Mail,
  qr: QrCode,
} as const satisfies Record<string, LucideIcon>;

export type IconName = keyof typeof icons;

/** A receiver that lies on its cradle. */
const HUNG_UP = { transform: "rotate(135deg)" };

/** Decorative icon beside text or in a labelled control. */
export function Icon({ name, size = 22 }: { name: IconName; size?: number }) {
  const Shape = icons[name];
  return (
    <Shape
      size={size}
      strokeWidth={1.8}
      aria-hidden="true"
      focusable="false"
      style={name === "leave" ? HUNG_UP : undefined}
    />
  );
}
