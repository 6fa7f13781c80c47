"""A client in Python: emits an event for each line of input, and writes a line for each received.

A line is a JSON array of an event's name and its arguments. The first line written has the id of
the socket: ["connected", id]. The last one has the transport: ["transport", name].
"""

import asyncio
import json
import sys

import socketio


def write(*event: object) -> None:
    print(json.dumps(event), flush=True)


async def main(url: str) -> None:
    client = socketio.AsyncClient(reconnection=False)

    @client.on("*")
    async def on_event(event: str, *args: object) -> None:
        write(event, *args)

    await client.connect(url)
    write("connected", client.get_sid())
    loop = asyncio.get_running_loop()
    while line := await loop.run_in_executor(None, sys.stdin.readline):
        event, *args = json.loads(line)
        await client.emit(event, tuple(args))
    write("transport", client.transport())
    await client.disconnect()


asyncio.run(main(sys.argv[1]))
