// Client 003: opens the camera before it enters the room; the newcomer makes the offer.

import { hide, listen, openCamera, parameter, setState, show } from "/page.js";

const socket = io(parameter("server"));
let camera;
let connection;

start();

async function start() {
  camera = await openCamera();
  connect();
  socket.emit("join_room", { room: parameter("room"), email: parameter("name") });
}

listen(socket, {
  connect: () => {
    document.body.dataset.socketId = socket.id;
  },
  all_users: async (users) => {
    setState("joined");
    if (users.length === 0) return;
    const offer = await connection.createOffer();
    connection.setLocalDescription(offer);
    socket.emit("offer", offer);
  },
  room_full: () => setState("full"),
  getOffer: async (offer) => {
    connection.setRemoteDescription(offer);
    const answer = await connection.createAnswer();
    connection.setLocalDescription(answer);
    socket.emit("answer", answer);
  },
  getAnswer: (answer) => connection.setRemoteDescription(answer),
  getCandidate: (candidate) => connection.addIceCandidate(candidate),
  user_exit: () => {
    hide("other");
    connection.close();
    connect();
  },
});

function connect() {
  connection = new RTCPeerConnection();
  connection.addEventListener("icecandidate", ({ candidate }) => {
    if (candidate) socket.emit("candidate", candidate);
  });
  connection.addEventListener("track", ({ streams }) => show("other", streams[0]));
  for (const track of camera.getTracks()) connection.addTrack(track, camera);
}
