"""Joins a room by moim's media server: sends video and a tone, receives everybody else's tracks.

    pip install aiortc "python-socketio[asyncio-client]"
    moim serve --listen 127.0.0.1:4000 --topology sfu
    python aiortc_join.py http://127.0.0.1:4000 tea Robot

Every 50 frames of a track it prints a line; for a microphone, with its peak level:

    Ann camera 50 frames 640x360
    Ann microphone 50 frames level 0.174

The protocol is in docs/protocol.md. It ends with Ctrl-C, and lets everybody know.
"""

import array
import asyncio
import fractions
import math
import sys

import socketio
from aiortc import AudioStreamTrack, RTCPeerConnection, RTCSessionDescription, VideoStreamTrack
from aiortc.mediastreams import MediaStreamError
from av import AudioFrame, VideoFrame

SFU = "sfu"
WIDTH, HEIGHT = 640, 360
RATE, TONE = 48_000, 440
# 20 ms, as Opus packets are.
SAMPLES = RATE // 50


class Stripes(VideoStreamTrack):
    """Grey stripes that move."""

    frames = 0

    async def recv(self) -> VideoFrame:
        pts, time_base = await self.next_timestamp()
        frame = VideoFrame(WIDTH, HEIGHT, "yuv420p")
        luma, *chroma = frame.planes
        row = bytes((x + 4 * self.frames) % 256 for x in range(luma.line_size))
        luma.update(row * luma.height)
        for plane in chroma:
            plane.update(bytes([128]) * plane.buffer_size)
        frame.pts, frame.time_base = pts, time_base
        self.frames += 1
        return frame


class Tone(AudioStreamTrack):
    """A tone of 440 Hz."""

    pts = 0
    began: float | None = None

    async def recv(self) -> AudioFrame:
        loop = asyncio.get_running_loop()
        self.began = self.began or loop.time()
        await asyncio.sleep(self.began + self.pts / RATE - loop.time())
        wave = (math.sin(math.tau * TONE * (self.pts + n) / RATE) for n in range(SAMPLES))
        frame = AudioFrame("s16", "mono", SAMPLES)
        frame.planes[0].update(array.array("h", (int(8000 * it) for it in wave)).tobytes())
        frame.pts, frame.sample_rate, frame.time_base = self.pts, RATE, fractions.Fraction(1, RATE)
        self.pts += SAMPLES
        return frame


class Robot:
    def __init__(self) -> None:
        # A client that reconnects should resume; docs/protocol.md says how.
        self.socket = socketio.AsyncClient(reconnection=False, handle_sigint=False)
        # One connection, to the media server. Its candidates are in its descriptions, and it learns
        # ours from connectivity checks, so neither trickling nor STUN is needed.
        self.link = RTCPeerConnection()
        self.link.on("track", self.receive)
        self.names: dict[str, str] = {}
        # The track of each receiving section, by mid.
        self.sections: dict[str, dict] = {}
        self.tasks: set[asyncio.Task] = set()
        # One event after the other: an offer is answered before the next is looked at.
        self.events: asyncio.Queue = asyncio.Queue()
        for name in ("signal", "subscribed", "refused", "participant:joined", "disconnect"):
            self.socket.on(name, self.into_queue(name))

    def into_queue(self, name: str):
        return lambda *args: self.events.put_nowait((name, args[0] if args else None))

    async def ask(self, event: str, payload: dict) -> dict:
        reply = await self.socket.call(event, payload)
        if "error" in reply:
            raise RuntimeError(f"{event}: {reply['error']['message']}")
        return reply["ok"]

    async def join(self, url: str, room: str, name: str) -> None:
        await self.socket.connect(url, transports=["websocket"])
        media = {"mic": True, "camera": True, "screen": False, "hand": False}
        joined = await self.ask(
            "room:join", {"room": room, "name": name, "sfu": True, "media": media}
        )
        if joined["topology"] != SFU:
            raise RuntimeError("This room is peer to peer: start moim with --topology sfu")
        self.names = {it["id"]: it["name"] for it in joined["participants"]}
        await self.publish()

    async def publish(self) -> None:
        """The only offer of ours; all later ones are the server's, so that none ever cross."""
        self.link.addTrack(Tone())
        self.link.addTrack(Stripes())
        await self.link.setLocalDescription(await self.link.createOffer())
        source = {"audio": "microphone", "video": "camera"}
        sections = self.link.getTransceivers()
        tracks = [{"mid": it.mid, "source": source[it.kind]} for it in sections]
        await self.ask("publish", {"tracks": tracks})
        await self.describe()

    async def describe(self) -> None:
        own = self.link.localDescription
        description = {"type": own.type, "sdp": own.sdp}
        await self.ask("signal", {"to": SFU, "description": description})

    async def live(self) -> None:
        while True:
            name, payload = await self.events.get()
            if name == "disconnect":
                return
            if name == "participant:joined":
                self.names[payload["id"]] = payload["name"]
            elif name == "refused":
                raise RuntimeError(f"{payload['what']}: {payload['error']['message']}")
            elif name == "subscribed":
                await self.show(payload["tracks"])
            elif payload["from"] == SFU:
                await self.link.setRemoteDescription(RTCSessionDescription(**payload["description"]))
                if payload["description"]["type"] == "offer":
                    await self.link.setLocalDescription(await self.link.createAnswer())
                    await self.describe()

    async def show(self, tracks: list[dict]) -> None:
        """Says how large we show each camera; what is not listed comes as small as there is."""
        self.sections = {it["mid"]: it for it in tracks}
        cameras = [it for it in tracks if it["source"] == "camera"]
        wanted = [
            {
                "participant": it["participant"],
                "source": "camera",
                "width": WIDTH,
                "height": HEIGHT,
            }
            for it in cameras
        ]
        await self.ask("subscribe", {"tracks": wanted})

    def receive(self, track) -> None:
        task = asyncio.ensure_future(self.watch(track))
        self.tasks.add(task)
        task.add_done_callback(self.tasks.discard)

    async def watch(self, track) -> None:
        count, loudest = 0, 0.0
        while True:
            try:
                frame = await track.recv()
            except MediaStreamError:
                return
            count += 1
            if isinstance(frame, AudioFrame):
                loudest = max(loudest, loudness(frame))
                what = f"level {loudest:.3f}"
            else:
                what = f"{frame.width}x{frame.height}"
            if count % 50 == 0:
                print(self.whose(track), f"{count} frames", what, flush=True)
                loudest = 0.0

    def whose(self, track) -> str:
        mid = next(it.mid for it in self.link.getTransceivers() if it.receiver.track is track)
        section = self.sections.get(mid)
        if section is None:
            return "nobody's track"
        name = self.names.get(section["participant"], section["participant"])
        return f"{name} {section['source']}"

    async def leave(self) -> None:
        if self.socket.connected:
            await self.socket.disconnect()
        await self.link.close()


def loudness(frame: AudioFrame) -> float:
    """From 0 to 1."""
    samples = array.array("h", bytes(frame.planes[0]))
    return max(map(abs, samples)) / 32768


async def main(url: str, room: str, name: str) -> None:
    robot = Robot()
    try:
        await robot.join(url, room, name)
        await robot.live()
    finally:
        await robot.leave()


if __name__ == "__main__":
    try:
        asyncio.run(main(*sys.argv[1:4]))
    except KeyboardInterrupt:
        pass
