"""A client in Python: says what each line of its input says, and writes a line for what it hears.

A line is a JSON array, an event's name and its arguments. The first that is written names the
socket: ["connected", id].
"""

import asyncio
import json
import sys

import socketio


def tell(*event: object) -> None:
    print(json.dumps(event), flush=True)


async def main(url: str) -> None:
    client = socketio.AsyncClient(reconnection=False)

    @client.on("*")
    async def heard(event: str, *args: object) -> None:
        tell(event, *args)

    await client.connect(url)
    tell("connected", client.get_sid())
    loop = asyncio.get_running_loop()
    while line := await loop.run_in_executor(None, sys.stdin.readline):
        event, *args = json.loads(line)
        await client.emit(event, tuple(args))
    tell("over", client.transport())
    await client.disconnect()


asyncio.run(main(sys.argv[1]))
