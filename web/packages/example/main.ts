import { type Call, createClient, mayReceive, RequestError } from "moim-client";

const server = new URLSearchParams(location.search).get("server") ?? "http://localhost:4000";
const client = createClient({ server });
const { media } = client;
let call: Call | null = null;

const part = <T extends HTMLElement>(id: string) => document.getElementById(id) as T;
const form = part<HTMLFormElement>("entry");
const say = (text: string) => part("status").replaceChildren(text);

form.onsubmit = async (event) => {
  event.preventDefault();
  const field = (name: string) => String(new FormData(form).get(name));
  say("Joining …");
  void media.start({ microphone: true, camera: true }); // never rejects: see `problem`
  try {
    const onWaiting = () => say("A host will let you in.");
    call = await client.join({ room: field("room"), name: field("name"), onWaiting });
    call.subscribe(render);
    render();
  } catch (error) {
    media.stop();
    say(error instanceof RequestError ? `${error.message} (${error.code})` : String(error));
  }
};
part("microphone").onclick = () => media.setMicrophone(!media.getSnapshot().microphone.wanted);
part("camera").onclick = () => media.setCamera(!media.getSnapshot().camera.wanted);
part("leave").onclick = () => call?.leave();
media.subscribe(render);

interface Tile {
  key: string;
  name: string;
  stream: MediaStream | null;
  hasPicture: boolean;
  hasSound: boolean;
}

function render(): void {
  const state = call?.getSnapshot();
  if (!state) return;
  const isOver = state.status === "ended";
  form.hidden = !isOver;
  part("bar").hidden = isOver;
  if (isOver) media.stop();

  const { microphone, camera, cameraStream } = media.getSnapshot();
  part("microphone").ariaPressed = String(microphone.wanted);
  part("camera").ariaPressed = String(camera.wanted);
  const problem = microphone.problem ?? camera.problem;
  if (isOver) say(state.error ? `The call ended: ${state.error.message}` : "You left.");
  else if (state.status === "reconnecting") say("Reconnecting …");
  else say(problem ? `A device can't be used: ${problem}` : `${state.others.length} others`);

  const { id, name } = state.self;
  show(
    [
      { key: id, name, stream: cameraStream, hasPicture: camera.on, hasSound: false },
      ...state.others.flatMap((other): Tile[] => {
        const hasPicture = other.media.camera && mayReceive(state, other, "camera");
        const hasSound = mayReceive(state, other, "microphone");
        const { id: key, name, stream } = other;
        const tile = { key, name, stream, hasPicture, hasSound };
        if (!other.media.screen || !mayReceive(state, other, "screen")) return [tile];
        const screen = { key: `${key} screen`, name: `${name}'s screen` };
        return [tile, { ...screen, stream: other.screen, hasPicture: true, hasSound: true }];
      }),
    ].filter(() => !isOver),
  );
}

/** Keeps one figure for each tile, so that a change of one interrupts no other. */
function show(tiles: readonly Tile[]): void {
  for (const figure of document.querySelectorAll("figure")) {
    if (!tiles.some(({ key }) => key === figure.id)) figure.remove();
  }
  for (const { key, name, stream, hasPicture, hasSound } of tiles) {
    const figure = document.getElementById(key) ?? part("tiles").appendChild(newFigure(key, name));
    const video = figure.querySelector("video") as HTMLVideoElement;
    video.muted = !hasSound;
    video.className = hasPicture ? "" : "off";
    if (video.srcObject !== stream) video.srcObject = stream;
  }
}

function newFigure(id: string, name: string): HTMLElement {
  const { content } = part<HTMLTemplateElement>("tile");
  const figure = content.querySelector("figure")?.cloneNode(true) as HTMLElement;
  figure.id = id;
  figure.querySelector("figcaption")?.append(name);
  return figure;
}
