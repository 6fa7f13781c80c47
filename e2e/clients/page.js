// Helpers shared by the five pages: query parameters, recorded events and tiles.

const query = new URLSearchParams(location.search);

/** Parameter of the page's address, such as the server or the room. */
export function parameter(name) {
  return query.get(name) ?? undefined;
}

/** All events that the page has received, with their arguments, in order. */
window.receivedEvents = [];

/** Handles a socket's events and records them. */
export function listen(socket, handlers) {
  for (const [event, handle] of Object.entries(handlers)) {
    socket.on(event, (...args) => {
      window.receivedEvents.push([event, ...args]);
      handle(...args);
    });
  }
}

/** Opens camera and microphone and shows them in the page's own tile. */
export async function openCamera() {
  const stream = await navigator.mediaDevices.getUserMedia({ video: true, audio: true });
  show("self", stream);
  return stream;
}

/** Shows a stream in the tile with this name. */
export function show(name, stream) {
  const tile = tileOf(name) ?? addTile(name);
  const video = tile.querySelector("video");
  if (video.srcObject !== stream) video.srcObject = stream;
}

/** Removes a tile. */
export function hide(name) {
  tileOf(name)?.remove();
}

/** Shows the state of the client. */
export function setState(state) {
  document.querySelector("[data-testid=state]").textContent = state;
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
