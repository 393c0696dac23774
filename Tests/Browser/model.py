"""An OpenAI-compatible model whose answers a test writes."""

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

HOLD_SECONDS = 60
DEFAULT = "The model has heard you."


class Reply:
    """What is answered to a question: pieces of text, held after `hold_after` pieces until `release()`."""

    def __init__(self, *pieces, hold_after=None, status=200):
        self.pieces = pieces
        self.hold_after = hold_after
        self.status = status
        self.asked = threading.Event()
        self._released = threading.Event()

    def release(self):
        self._released.set()

    def wait(self):
        self._released.wait(HOLD_SECONDS)


class Model:
    """Listens on a free port. A question that contains a marker gets the marker's next reply, the last one for ever."""

    def __init__(self):
        self._replies = {}
        self._lock = threading.Lock()
        model = self

        class Handler(BaseHTTPRequestHandler):
            def log_message(self, *_):
                pass

            def do_POST(self):
                length = int(self.headers.get("Content-Length", 0))
                body = json.loads(self.rfile.read(length))
                reply = model._reply_to(body["messages"][-1]["content"])
                reply.asked.set()
                try:
                    model._send(self, reply)
                except OSError:
                    # The service has hung up: a stopped answer.
                    pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        self.url = f"http://127.0.0.1:{self._server.server_port}/v1"

    def script(self, marker, *replies):
        with self._lock:
            self._replies[marker] = list(replies)

    def stop(self):
        with self._lock:
            for replies in self._replies.values():
                for reply in replies:
                    reply.release()
        self._server.shutdown()
        self._server.server_close()

    def _reply_to(self, question):
        with self._lock:
            for marker, replies in self._replies.items():
                if marker in question:
                    return replies.pop(0) if len(replies) > 1 else replies[0]
        return Reply(DEFAULT)

    @staticmethod
    def _send(handler, reply):
        if reply.status != 200:
            text = json.dumps({"error": {"message": "scripted"}}).encode()
            handler.send_response(reply.status)
            handler.send_header("Content-Type", "application/json")
            handler.send_header("Content-Length", str(len(text)))
            handler.end_headers()
            handler.wfile.write(text)
            return
        handler.send_response(200)
        handler.send_header("Content-Type", "text/event-stream")
        handler.end_headers()

        def event(value):
            handler.wfile.write(f"data: {json.dumps(value)}\n\n".encode())
            handler.wfile.flush()

        for index, piece in enumerate(reply.pieces):
            if index == reply.hold_after:
                reply.wait()
            event({"choices": [{"index": 0, "delta": {"content": piece}}]})
        if reply.hold_after == len(reply.pieces):
            reply.wait()
        usage = {"prompt_tokens": 7, "completion_tokens": 5, "total_tokens": 12}
        event({"choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}], "usage": usage})
        handler.wfile.write(b"data: [DONE]\n\n")
