// Client 004: enters the room before it opens the camera; calls once both have theirs.

import { listen, openCamera, parameter, setState, show } from "/page.js";

const room = parameter("room");
// Without the parameter, socket.io-client connects to the page's own origin.
const socket = io(parameter("server"));

let isInitiator = false;
let isChannelReady = false;
let isOtherReady = false;
let camera;
let connection;

const send = (message) => socket.emit("message", message);

listen(socket, {
  created: () => {
    isInitiator = true;
    setState("created");
    start();
  },
  join: () => {
    isChannelReady = true;
  },
  joined: () => {
    isChannelReady = true;
    setState("joined");
    start();
  },
  ready: () => {},
  full: () => setState("full"),
  message: async (message) => {
    if (message === "got user media") {
      isOtherReady = true;
      await call();
    } else if (message.type === "offer") {
      connect();
      connection.setRemoteDescription(message);
      const answer = await connection.createAnswer();
      connection.setLocalDescription(answer);
      send(answer);
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
  send("got user media");
  await call();
}

/** Sends the offer once both clients are in the room with their cameras open. */
async function call() {
  if (connection || !isInitiator || !isChannelReady || !camera || !isOtherReady) return;
  connect();
  const offer = await connection.createOffer();
  connection.setLocalDescription(offer);
  send(offer);
}

function connect() {
  connection = new RTCPeerConnection();
  connection.addEventListener("icecandidate", ({ candidate }) => {
    if (!candidate) return;
    const { sdpMLineIndex: label, sdpMid: id } = candidate;
    send({ type: "candidate", label, id, candidate: candidate.candidate });
  });
  connection.addEventListener("track", ({ streams }) => show("other", streams[0]));
  for (const track of camera.getTracks()) connection.addTrack(track, camera);
}
