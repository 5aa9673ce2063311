"""A raw line-based client, for conversations no mail library would hold."""

from __future__ import annotations

import socket
import ssl


class Wire:
    """A TCP connection that speaks lines; every read has a bound."""

    def __init__(self, address: tuple[str, int], *, greet: str | None = None) -> None:
        self.socket: socket.socket = socket.create_connection(address, timeout=20)
        self.buffer = b""
        self.banner = self.reply()
        if greet is not None:
            self.say(greet)

    def __enter__(self) -> Wire:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.socket.close()

    def send(self, data: bytes) -> None:
        """Send bytes as they are."""
        self.socket.sendall(data)

    def say(self, command: str) -> str:
        """Send a command line and return the reply to it."""
        self.send(command.encode() + b"\r\n")
        return self.reply()

    def transaction(self, *recipients: str, sender: str = "customer@outside.example") -> list[str]:
        """MAIL, RCPT for each, DATA; the replies."""
        commands = [f"MAIL FROM:<{sender}>", *(f"RCPT TO:<{each}>" for each in recipients), "DATA"]
        return [self.say(command) for command in commands]

    def line(self) -> str:
        """The next line; "" at the end of the stream."""
        while b"\n" not in self.buffer:
            try:
                block = self.socket.recv(65536)
            except ConnectionResetError:
                block = b""
            if not block:
                rest, self.buffer = self.buffer, b""
                return rest.decode("utf-8", "replace")
            self.buffer += block
        line, _, self.buffer = self.buffer.partition(b"\n")
        return line.rstrip(b"\r").decode("utf-8", "replace")

    def reply(self) -> str:
        """One whole reply, its lines joined by a newline; "" at the end of the stream."""
        lines = [self.line()]
        while lines[-1][3:4] == "-":
            lines.append(self.line())
        return "\n".join(lines)

    def closed(self) -> bool:
        """Wait for the end of the stream; True when nothing more came before it."""
        return self.line() == ""

    def start_tls(self, context: ssl.SSLContext) -> None:
        """Turn to TLS after the server's 220."""
        self.socket = context.wrap_socket(self.socket, server_hostname="localhost")
