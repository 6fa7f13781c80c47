// Client 001: perfect negotiation, in which the client that pressed Start is impolite.

import { listen, openCamera, parameter, setState, show } from "/page.js";

const socket = io(parameter("server"), { path: "/webRTC_V0", transports: ["websocket"] });
const connection = new RTCPeerConnection();

let isPolite = true;
let isMakingOffer = false;
let isIgnoringOffer = false;
let camera;

const signal = (type, data) => socket.emit("webrtc:signaling", { type, data });

document.querySelector("[data-testid=start]").addEventListener("click", () => {
  isPolite = false;
  send();
});

connection.addEventListener("negotiationneeded", async () => {
  isMakingOffer = true;
  await connection.setLocalDescription();
  signal("offer", connection.localDescription);
  isMakingOffer = false;
});
connection.addEventListener("icecandidate", ({ candidate }) => {
  if (candidate) signal("candidate", candidate);
});
connection.addEventListener("track", ({ streams }) => show("other", streams[0]));

listen(socket, {
  connect: () => setState("ready"),
  "webrtc:signaling": async ({ type, data }) => {
    if (type === "candidate") {
      await connection.addIceCandidate(data).catch((error) => {
        if (!isIgnoringOffer) throw error;
      });
      return;
    }
    const isCollision = isMakingOffer || connection.signalingState !== "stable";
    isIgnoringOffer = type === "offer" && isCollision && !isPolite;
    if (isIgnoringOffer) return;
    await connection.setRemoteDescription(data);
    if (type === "answer") return;
    await send();
    await connection.setLocalDescription();
    signal("answer", connection.localDescription);
  },
});

/** Opens and sends the camera, unless it is already sent. */
async function send() {
  if (camera) return;
  camera = await openCamera();
  for (const track of camera.getTracks()) connection.addTrack(track, camera);
}
