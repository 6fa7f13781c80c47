// Client 004: enters first and opens the camera then; calls once both have theirs.

import { listen, openCamera, parameter, say, show } from "/page.js";

const room = parameter("room");
// The server is the page's own unless it is told of another.
const socket = io(parameter("server"));

let isInitiator = false;
let isChannelReady = false;
let isOtherReady = false;
let camera;
let connection;

const tell = (message) => socket.emit("message", message);

listen(socket, {
  created: () => {
    isInitiator = true;
    say("created");
    start();
  },
  join: () => {
    isChannelReady = true;
  },
  joined: () => {
    isChannelReady = true;
    say("joined");
    start();
  },
  ready: () => {},
  full: () => say("full"),
  message: async (message) => {
    if (message === "got user media") {
      isOtherReady = true;
      await call();
    } else if (message.type === "offer") {
      connect();
      connection.setRemoteDescription(message);
      const answer = await connection.createAnswer();
      connection.setLocalDescription(answer);
      tell(answer);
    } else if (message.type === "answer") {
      connection.setRemoteDescription(message);
    } else if (message.type === "candidate") {
      const { label: sdpMLineIndex, candidate } = message;
      connection.addIceCandidate({ sdpMLineIndex, candidate });
    }
  },
});

socket.emit("create or join", room);

async function start() {
  camera = await openCamera();
  tell("got user media");
  await call();
}

/** Offers, as soon as both are there with their cameras. */
async function call() {
  if (connection || !isInitiator || !isChannelReady || !camera || !isOtherReady) return;
  connect();
  const offer = await connection.createOffer();
  connection.setLocalDescription(offer);
  tell(offer);
}

function connect() {
  connection = new RTCPeerConnection();
  connection.addEventListener("icecandidate", ({ candidate }) => {
    if (!candidate) return;
    const { sdpMLineIndex: label, sdpMid: id } = candidate;
    tell({ type: "candidate", label, id, candidate: candidate.candidate });
  });
  connection.addEventListener("track", ({ streams }) => show("other", streams[0]));
  for (const track of camera.getTracks()) connection.addTrack(track, camera);
}
