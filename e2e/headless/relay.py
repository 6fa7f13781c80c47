"""Relays to an echo server through moim's TURN server with aioice, over UDP and TCP."""

import asyncio
import sys

from aioice import turn

PORT, USER, PASSWORD, PEER = int(sys.argv[1]), sys.argv[2], sys.argv[3], int(sys.argv[4])


class Receiver(asyncio.DatagramProtocol):
    def __init__(self):
        self.messages = asyncio.Queue()

    def datagram_received(self, data, addr):
        self.messages.put_nowait((data, addr))


async def relay(transport):
    endpoint, receiver = await turn.create_turn_endpoint(
        Receiver,
        server_addr=("127.0.0.1", PORT),
        username=USER,
        password=PASSWORD,
        transport=transport,
    )
    relayed = endpoint.get_extra_info("sockname")
    assert relayed[0] == "127.0.0.1", relayed
    for size in (1, 100, 1200):
        endpoint.sendto(b"x" * size, ("127.0.0.1", PEER))
        data, addr = await asyncio.wait_for(receiver.messages.get(), 10)
        assert (data, addr) == (b"x" * size, ("127.0.0.1", PEER)), (data, addr)
    endpoint.close()


async def main():
    await relay("udp")
    await relay("tcp")
    print("relayed over udp and tcp")


asyncio.run(main())
