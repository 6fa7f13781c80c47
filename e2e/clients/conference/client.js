// Client 002: a lobby, and in each room a full mesh, in which the newcomer makes the offers.

import { hide, listen, openCamera, parameter, setState, show } from "/page.js";

const server = parameter("server");
const userName = parameter("name");

/** Socket of the lobby, open while the page is; each room has another one. */
const lobby = io(server, { forceNew: true });
let leave = () => {};

lobby.emit("get room list");
listen(lobby, { "give room list": list });

document.querySelector("[data-testid=make]").addEventListener("click", () => {
  const roomName = document.querySelector("[data-testid=new-room]").value;
  lobby.emit("make room", { roomName, roomID: crypto.randomUUID() });
});
document.querySelector("[data-testid=leave]").addEventListener("click", () => leave());

function list(rooms) {
  const rows = Object.entries(rooms).map(([roomID, { roomName, members }]) => {
    const button = document.createElement("button");
    button.dataset.testid = "room";
    button.textContent = `${roomName} (${members.length})`;
    button.addEventListener("click", () => enter(roomID));
    const row = document.createElement("li");
    row.append(button);
    return row;
  });
  document.querySelector("[data-testid=rooms]").replaceChildren(...rows);
}

async function enter(roomID) {
  const camera = await openCamera();
  const socket = io(server, { forceNew: true });
  /** By the id of the remote socket. */
  const connections = new Map();

  const connect = (socketID) => {
    const connection = new RTCPeerConnection();
    connections.set(socketID, connection);
    connection.addEventListener("icecandidate", ({ candidate }) => {
      if (candidate) socket.emit("ice-candidate", { caller: socket.id, candidate, roomID });
    });
    connection.addEventListener("track", ({ streams }) => show(streams[0].id, streams[0]));
    for (const track of camera.getTracks()) connection.addTrack(track, camera);
    return connection;
  };
  const describe = async (event, target, sdp) => {
    await connections.get(target).setLocalDescription(sdp);
    socket.emit(event, { target, caller: socket.id, sdp });
  };
  const members = new Map();

  listen(socket, {
    "other users": async (others) => {
      for (const { socketID, streamID } of others) {
        members.set(streamID, socketID);
        const connection = connect(socketID);
        describe("offer", socketID, await connection.createOffer());
      }
      setState("joined");
    },
    "user joined": ({ socketID, streamID }) => members.set(streamID, socketID),
    offer: async ({ caller, sdp }) => {
      const connection = connect(caller);
      connection.setRemoteDescription(sdp);
      describe("answer", caller, await connection.createAnswer());
    },
    answer: ({ caller, sdp }) => connections.get(caller).setRemoteDescription(sdp),
    "ice-candidate": ({ caller, candidate }) => {
      // Candidates are broadcast to the room, so most belong to another pair's connection; those
      // fail because of their username fragment.
      connections
        .get(caller)
        ?.addIceCandidate(candidate)
        .catch(() => {});
    },
    "out user": ({ streamID }) => {
      connections.get(members.get(streamID))?.close();
      hide(streamID);
    },
    "give room list": list,
  });

  document.body.dataset.streamId = camera.id;
  socket.on("connect", () => {
    document.body.dataset.socketId = socket.id;
    socket.emit("join room", { roomID, streamID: camera.id, userName });
  });

  leave = () => {
    socket.emit("out room");
    for (const connection of connections.values()) connection.close();
    for (const tile of document.querySelectorAll("[data-testid=tile]")) tile.remove();
    for (const track of camera.getTracks()) track.stop();
    setState("left");
  };
}
