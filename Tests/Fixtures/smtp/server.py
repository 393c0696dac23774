"""A real SMTP server on loopback for the tests of mails: server.py MODE [OPTION…]

Prints one JSON object a line: first {"port": …}, then one for each mail taken, and one for each that was refused.
MODE: take, hang (takes the mail and never answers), refuse CODE TIMES (answers CODE to the first TIMES receivers).
Options: --tls offers STARTTLS and insists on it, with a certificate for 127.0.0.1 that it makes in --folder;
--implicit begins with TLS; --login USER PASSWORD insists on it.
"""
import argparse
import asyncio
import json
import os
import ssl
import subprocess
import sys

from aiosmtpd.smtp import SMTP, AuthResult, LoginPassword


def say(**members):
    print(json.dumps(members), flush=True)


def arguments():
    parser = argparse.ArgumentParser()
    parser.add_argument("mode", nargs="+")
    parser.add_argument("--tls", action="store_true")
    parser.add_argument("--implicit", action="store_true")
    parser.add_argument("--folder")
    parser.add_argument("--login", nargs=2)
    return parser.parse_args()


def certificate(folder):
    files = [os.path.join(folder, name) for name in ("certificate.pem", "key.pem")]
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2",
         "-subj", "/CN=localhost", "-addext", "subjectAltName=IP:127.0.0.1,DNS:localhost", "-out", files[0], "-keyout",
         files[1]], check=True, capture_output=True)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*files)
    return context


class Handler:
    def __init__(self, mode):
        self.mode = mode[0]
        self.code, self.left = (int(mode[1]), int(mode[2])) if self.mode == "refuse" else (0, 0)

    async def handle_RCPT(self, server, session, envelope, address, options):
        if self.left > 0:
            self.left -= 1
            say(refused=address)
            return f"{self.code} not now"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server, session, envelope):
        say(
            sender=envelope.mail_from, receivers=envelope.rcpt_tos, text=envelope.content.decode("ascii"),
            tls=server.transport.get_extra_info("sslcontext") is not None,
            login=bool(session.authenticated), greeting=session.host_name,
            answered=self.mode != "hang")
        if self.mode == "hang":
            await asyncio.sleep(3600)
        return "250 taken"


async def main():
    chosen = arguments()
    context = certificate(chosen.folder) if chosen.tls or chosen.implicit else None
    handler = Handler(chosen.mode)

    def authenticate(server, session, envelope, mechanism, data):
        given = isinstance(data, LoginPassword) and [data.login.decode(), data.password.decode()]
        return AuthResult(success=given == chosen.login)

    def connection():
        return SMTP(
            handler, hostname="localhost", tls_context=context if chosen.tls else None, require_starttls=chosen.tls,
            authenticator=authenticate, auth_required=chosen.login is not None,
            auth_require_tls=chosen.tls)

    server = await asyncio.get_running_loop().create_server(
        connection, "127.0.0.1", 0, ssl=context if chosen.implicit else None)
    say(port=server.sockets[0].getsockname()[1])
    async with server:
        await server.serve_forever()


sys.stdout.reconfigure(line_buffering=True)
asyncio.run(main())
