"""A mail server that keeps what it is given."""

import email
import email.policy
import socket
import threading

from aiosmtpd.controller import Controller


class Letters:
    """Listens on a free port of this machine."""

    def __init__(self):
        self._arrived = threading.Condition()
        self._letters = []
        with socket.socket() as found:
            found.bind(("127.0.0.1", 0))
            port = found.getsockname()[1]
        self._controller = Controller(self, hostname="127.0.0.1", port=port)
        self._controller.start()
        self.url = f"smtp://127.0.0.1:{port}"

    async def handle_DATA(self, _server, _session, envelope):
        letter = email.message_from_bytes(envelope.content, policy=email.policy.default)
        with self._arrived:
            self._letters.append((envelope.rcpt_tos[0], letter.get_content()))
            self._arrived.notify_all()
        return "250 OK"

    def to(self, address, containing, seconds=60):
        """The text of the first letter to an address that contains a word."""

        def found():
            return next((text for one, text in self._letters if one == address and containing in text), None)

        with self._arrived:
            assert self._arrived.wait_for(found, seconds), f"no letter to {address} with {containing}"
            return found()

    def stop(self):
        self._controller.stop()
