// Client 000: the first client in the room calls the other one when that one is ready.

import { listen, openCamera, parameter, setState, show } from "/page.js";

const room = parameter("room");
const socket = io(parameter("server"));

let isCreator = false;
let camera;
let connection;

document.querySelector("[data-testid=join]").addEventListener("click", () => {
  setState("");
  socket.emit("join", room);
});

listen(socket, {
  created: async () => {
    isCreator = true;
    camera = await openCamera();
    setState("created");
  },
  joined: async () => {
    isCreator = false;
    camera = await openCamera();
    setState("joined");
    socket.emit("ready", room);
  },
  full: () => setState("full"),
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
  // The previous peer has left: this dialect has no event for leaving.
  connection?.close();
  connection = new RTCPeerConnection();
  connection.addEventListener("icecandidate", ({ candidate }) => {
    if (candidate) socket.emit("candidate", candidate, room);
  });
  connection.addEventListener("track", ({ streams }) => show("other", streams[0]));
  for (const track of camera.getTracks()) connection.addTrack(track, camera);
}
