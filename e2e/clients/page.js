// What the five pages share: what they were asked to do, what they heard, and whom they show.

const asked = new URLSearchParams(location.search);

/** A value of the page's address, such as the server and the room. */
export function parameter(name) {
  return asked.get(name) ?? undefined;
}

/** Every event a page heard, with its arguments, in the order they came. */
window.heard = [];

/** Handles a socket's events, and notes them. */
export function listen(socket, handlers) {
  for (const [event, handle] of Object.entries(handlers)) {
    socket.on(event, (...args) => {
      window.heard.push([event, ...args]);
      handle(...args);
    });
  }
}

/** The page's camera and microphone, shown in a tile of its own. */
export async function openCamera() {
  const stream = await navigator.mediaDevices.getUserMedia({ video: true, audio: true });
  show("self", stream);
  return stream;
}

/** Shows a stream in the tile of that name. */
export function show(name, stream) {
  const tile = tileOf(name) ?? addTile(name);
  const video = tile.querySelector("video");
  if (video.srcObject !== stream) video.srcObject = stream;
}

/** Takes a tile away. */
export function hide(name) {
  tileOf(name)?.remove();
}

/** Shows a word of how things stand. */
export function say(word) {
  document.querySelector("[data-testid=state]").textContent = word;
}

function tileOf(name) {
  return document.querySelector(`[data-testid=tile][data-name="${CSS.escape(name)}"]`);
}

function addTile(name) {
  const tile = document.createElement("div");
  tile.dataset.testid = "tile";
  tile.dataset.name = name;
  tile.dataset.self = String(name === "self");
  const video = document.createElement("video");
  video.autoplay = true;
  video.playsInline = true;
  video.muted = name === "self";
  tile.append(video);
  document.body.append(tile);
  return tile;
}
