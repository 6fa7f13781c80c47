// What the video chat tutorial's server does, on Node's socket.io: the peer that moim's signaling
// is measured beside. A room holds two; what one says goes to the other.

import { createServer } from "node:http";
import { Server } from "socket.io";

const http = createServer();
const io = new Server(http, { transports: ["websocket"], perMessageDeflate: false });

io.on("connection", (socket) => {
  socket.on("join", (room) => {
    const members = io.sockets.adapter.rooms.get(room)?.size ?? 0;
    if (members >= 2) {
      socket.emit("full");
      return;
    }
    socket.join(room);
    socket.emit(members === 0 ? "created" : "joined");
  });
  socket.on("ready", (room) => socket.to(room).emit("ready"));
  for (const event of ["offer", "answer", "candidate"]) {
    socket.on(event, (payload, room) => socket.to(room).emit(event, payload));
  }
});

process.on("SIGTERM", () => process.exit(0));
http.listen(0, "127.0.0.1", () => console.log(`listening on ${http.address().port}`));
