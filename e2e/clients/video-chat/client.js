// Client 000: whoever was first in the room calls whoever says that it is ready.

import { listen, openCamera, parameter, say, show } from "/page.js";

const room = parameter("room");
const socket = io(parameter("server"));

let isCreator = false;
let camera;
let connection;

document.querySelector("[data-testid=join]").addEventListener("click", () => {
  say("");
  socket.emit("join", room);
});

listen(socket, {
  created: async () => {
    isCreator = true;
    camera = await openCamera();
    say("created");
  },
  joined: async () => {
    isCreator = false;
    camera = await openCamera();
    say("joined");
    socket.emit("ready", room);
  },
  full: () => say("full"),
  ready: async () => {
    if (!isCreator) return;
    connect();
    const offer = await connection.createOffer();
    connection.setLocalDescription(offer);
    socket.emit("offer", offer, room);
  },
  offer: async (offer) => {
    if (isCreator) return;
    connect();
    connection.setRemoteDescription(offer);
    const answer = await connection.createAnswer();
    connection.setLocalDescription(answer);
    socket.emit("answer", answer, room);
  },
  answer: (answer) => connection.setRemoteDescription(answer),
  candidate: (candidate) => connection.addIceCandidate(candidate),
});

function connect() {
  // Whoever was there before is gone: this dialect has no word for leaving.
  connection?.close();
  connection = new RTCPeerConnection();
  connection.addEventListener("icecandidate", ({ candidate }) => {
    if (candidate) socket.emit("candidate", candidate, room);
  });
  connection.addEventListener("track", ({ streams }) => show("other", streams[0]));
  for (const track of camera.getTracks()) connection.addTrack(track, camera);
}
